import { POSTGRES_URL } from '@kakehashi/store/location.fixture'

/** The engine these tests run on: the `hub-postgres` project names a database, the others do not. */
export const ENGINE = POSTGRES_URL === '' ? 'sqlite' : 'postgres'
