import type { NoticeLanguage } from '@kakehashi/protocol/notice-content'

/** Read aloud, or shown to whoever reads it better than they hear it. */
export interface Script {
  /** The language's own name for itself. */
  name: string
  /** For `lang` attributes. */
  tag: string
  sentences: readonly [given: string, stop: string, same: string]
}

/** One entry per language of the notice: a missing language or sentence does not type-check. Kanji may bear readings. */
export const SCRIPTS: Readonly<Record<NoticeLanguage, Script>> = {
  ja: {
    name: '日本語',
    tag: 'ja',
    sentences: [
      'この病院では、診療の情報を、国が認めた事業者に提供することがあります。',
      'のぞまない方は、いつでも止められます。',
      '止めても、診療に不利益はありません。',
    ],
  },
  'ja-easy': {
    name: 'やさしい日本語',
    tag: 'ja',
    sentences: [
      'この {病院|びょういん}は、あなたの {病気|びょうき}や {治療|ちりょう}の {記録|きろく}を、{国|くに}が {認|みと}めた {会社|かいしゃ}や {団体|だんたい}に わたすことが あります。',
      'いやなときは、いつでも {止|と}めることが できます。',
      '{止|と}めても、{病院|びょういん}で {受|う}ける {治療|ちりょう}は {同|おな}じです。',
    ],
  },
  en: {
    name: 'English',
    tag: 'en',
    sentences: [
      'This hospital may provide information about your care to an organisation certified by the Japanese government.',
      'If you do not want this, you can stop it at any time.',
      'Stopping it does not change your care in any way.',
    ],
  },
  'zh-Hans': {
    name: '简体中文',
    tag: 'zh-Hans',
    sentences: [
      '本医院可能会将您的诊疗信息提供给日本政府认定的机构。',
      '如果您不愿意，随时可以要求停止。',
      '即使停止，也不会对您的诊疗造成任何不利。',
    ],
  },
  'zh-Hant': {
    name: '繁體中文',
    tag: 'zh-Hant',
    sentences: [
      '本醫院可能會將您的診療資訊提供給日本政府認定的機構。',
      '如果您不願意，隨時可以要求停止。',
      '即使停止，也不會對您的診療造成任何不利。',
    ],
  },
  ko: {
    name: '한국어',
    tag: 'ko',
    sentences: [
      '이 병원에서는 진료 정보를 일본 정부가 인정한 사업자에게 제공하는 경우가 있습니다.',
      '원하지 않으시면 언제든지 중지할 수 있습니다.',
      '중지하셔도 진료에 불이익은 없습니다.',
    ],
  },
  vi: {
    name: 'Tiếng Việt',
    tag: 'vi',
    sentences: [
      'Bệnh viện này có thể cung cấp thông tin khám chữa bệnh của quý vị cho tổ chức được chính phủ Nhật Bản công nhận.',
      'Nếu không muốn, quý vị có thể yêu cầu dừng bất cứ lúc nào.',
      'Việc dừng không ảnh hưởng gì đến việc khám chữa bệnh của quý vị.',
    ],
  },
  'pt-BR': {
    name: 'Português',
    tag: 'pt-BR',
    sentences: [
      'Este hospital pode fornecer informações sobre o seu atendimento a uma organização certificada pelo governo japonês.',
      'Se não quiser, você pode pedir para parar a qualquer momento.',
      'Parar não traz nenhuma desvantagem para o seu atendimento.',
    ],
  },
  tl: {
    name: 'Tagalog',
    tag: 'tl',
    sentences: [
      'Maaaring ibigay ng ospital na ito ang impormasyon tungkol sa inyong pagpapagamot sa organisasyong kinikilala ng pamahalaan ng Japan.',
      'Kung ayaw ninyo, maaari ninyo itong ipatigil kahit kailan.',
      'Hindi maaapektuhan ang inyong pagpapagamot kung ipatitigil ninyo ito.',
    ],
  },
  ne: {
    name: 'नेपाली',
    tag: 'ne',
    sentences: [
      'यस अस्पतालले तपाईंको उपचारसम्बन्धी जानकारी जापान सरकारले मान्यता दिएको संस्थालाई दिन सक्छ।',
      'तपाईंलाई मन नलागेमा जुनसुकै बेला रोक्न सकिन्छ।',
      'रोके पनि तपाईंको उपचारमा कुनै असर पर्दैन।',
    ],
  },
}

export function isScriptLanguage(text: string | undefined): text is NoticeLanguage {
  return text !== undefined && Object.hasOwn(SCRIPTS, text)
}
