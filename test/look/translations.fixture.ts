import type { NoticeLanguage } from '@kakehashi/protocol/notice-content'

const filled = (lines: readonly string[]): string => lines.join('\n')

/** Texts of the length a hospital publishes; the wording is no model for anybody's. */
export const TRANSLATIONS: Readonly<Record<Exclude<NoticeLanguage, 'ja'>, string>> = {
  'ja-easy': filled([
    'しんりょうの じょうほうについての おしらせ',
    '',
    'この びょういんは、あなたの じょうほうを、くにが みとめた かいしゃに わたすことが あります。',
    'あたらしい くすりや ちりょうを けんきゅうするためです。',
    '',
    'とめることが できます',
    'いやなときは、いつでも とめられます。りゆうは いりません。',
  ]),
  en: filled([
    'Notice about your medical information',
    '',
    'This hospital may give information about your care to an operator certified by the government.',
    'It is made anonymous and used for medical research.',
    '',
    'You can stop at any time',
    'You need no reason. Your care stays the same.',
  ]),
  'zh-Hans': filled([
    '关于提供诊疗信息的通知',
    '',
    '本医院可能向国家认定的机构提供您的诊疗信息。',
    '您可以随时停止提供。',
  ]),
  'zh-Hant': filled([
    '關於提供診療資訊的通知',
    '',
    '本醫院可能向國家認定的機構提供您的診療資訊。',
    '您可以隨時停止提供。',
  ]),
  ko: filled([
    '진료 정보 제공에 관한 안내',
    '',
    '이 병원은 국가가 인정한 사업자에게 진료 정보를 제공할 수 있습니다.',
  ]),
  vi: filled([
    'Thông báo về thông tin y tế',
    '',
    'Bệnh viện có thể cung cấp thông tin khám chữa bệnh của bạn.',
  ]),
  'pt-BR': filled([
    'Aviso sobre suas informações médicas',
    '',
    'Este hospital pode fornecer suas informações.',
  ]),
  tl: filled([
    'Abiso tungkol sa impormasyong medikal',
    '',
    'Maaaring ibigay ng ospital ang iyong impormasyon.',
  ]),
  ne: filled([
    'चिकित्सा जानकारीबारे सूचना',
    '',
    'यो अस्पतालले तपाईंको जानकारी दिन सक्छ।',
    'तपाईं जुनसुकै बेला रोक्न सक्नुहुन्छ।',
  ]),
}
