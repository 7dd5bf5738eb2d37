import type { AgentContext } from '@kakehashi/agent/context'
import type { ListName } from '@kakehashi/agent/office/lists'
import { lineNow, surveyCommons, takeSurvey } from '@kakehashi/agent/office/survey'

/** Whoever is on this work list of the office, by chart, as its page shows them; without a name, on any list of owed notices. */
export async function onList(context: AgentContext, list?: ListName) {
  const { lists } = await takeSurvey(context)
  const commons = await surveyCommons(context)
  const wanted = [...lists].filter(([name]) => (list ? name === list : name.startsWith('owed-')))
  const people = [...new Set(wanted.flatMap(([, patients]) => patients))].toSorted()
  return Promise.all(people.map((patient) => lineNow(context, commons, patient)))
}
