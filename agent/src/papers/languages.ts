import type { NoticeLanguage } from '@kakehashi/protocol/notice-content'

/** What stands around the published text of a notice on its paper. A missing sentence does not type-check. */
export interface PaperWords {
  /** As browsers and screen readers name the language. */
  lang: string
  name: string
  title: string
  how: string
  token: string
  code: string
  web: (host: string) => string
  desk: string
  phone: (number: string) => string
  keep: string
  /** The Japanese text governs; empty in Japanese itself. */
  governs: string
  number: string
}

/** In やさしい日本語 every kanji bears its reading: `{漢字|かんじ}`. */
export const PAPER_WORDS: Readonly<Record<NoticeLanguage, PaperWords>> = {
  ja: {
    lang: 'ja',
    name: '日本語',
    title: '通知書',
    how: 'この紙の番号で、いつでも停止できます',
    token: '停止のための番号',
    code: 'スマートフォンで読み取ると、停止の手続きができます',
    web: (host) => `ウェブ：${host} を開き、番号を入れてください。`,
    desk: '窓口：「止めたい」とお申し出ください。理由は必要ありません。',
    phone: (number) => `電話：${number}`,
    keep: '番号を知っている人は停止の手続きができます。ほかの人に見せないでください。',
    governs: '',
    number: '用紙番号',
  },
  'ja-easy': {
    lang: 'ja',
    name: 'やさしい日本語',
    title: 'お{知|し}らせ',
    how: 'この {紙|かみ}の {番号|ばんごう}で、いつでも {止|と}められます',
    token: '{止|と}めるための {番号|ばんごう}',
    code: 'スマートフォンで {読|よ}むと、{止|と}めることが できます',
    web: (host) => `インターネット：${host} を {開|ひら}いて、{番号|ばんごう}を {入|い}れて ください。`,
    desk: '{病院|びょういん}の {受付|うけつけ}：「{止|と}めたい」と {言|い}って ください。{理由|りゆう}は いりません。',
    phone: (number) => `{電話|でんわ}：${number}`,
    keep: 'この {番号|ばんごう}を ほかの {人|ひと}に {見|み}せないで ください。',
    governs: '{日本語|にほんご}の お{知|し}らせが {正|ただ}しい {文|ぶん}です。',
    number: '{紙|かみ}の {番号|ばんごう}',
  },
  en: {
    lang: 'en',
    name: 'English',
    title: 'Notice',
    how: 'With the number on this sheet you can stop at any time',
    token: 'Number for stopping',
    code: 'Scan with a phone to stop',
    web: (host) => `Web: open ${host} and enter the number.`,
    desk: 'At the hospital: say "I want to stop" at the desk. You need no reason.',
    phone: (number) => `Phone: ${number}`,
    keep: 'Whoever knows this number can stop for you. Do not show it to others.',
    governs: 'The Japanese text is the one that counts.',
    number: 'Sheet number',
  },
  'zh-Hans': {
    lang: 'zh-Hans',
    name: '简体中文',
    title: '通知书',
    how: '凭本页上的号码，您可以随时停止提供',
    token: '停止用号码',
    code: '用手机扫描即可办理停止手续',
    web: (host) => `网页：打开 ${host}，输入号码。`,
    desk: '窗口：请说“我想停止提供”，不需要理由。',
    phone: (number) => `电话：${number}`,
    keep: '知道此号码的人可以办理停止手续。请不要给他人看。',
    governs: '以日文通知书为准。',
    number: '纸张编号',
  },
  'zh-Hant': {
    lang: 'zh-Hant',
    name: '繁體中文',
    title: '通知書',
    how: '憑本頁上的號碼，您可以隨時停止提供',
    token: '停止用號碼',
    code: '用手機掃描即可辦理停止手續',
    web: (host) => `網頁：開啟 ${host}，輸入號碼。`,
    desk: '窗口：請說「我想停止提供」，不需要理由。',
    phone: (number) => `電話：${number}`,
    keep: '知道此號碼的人可以辦理停止手續。請不要給他人看。',
    governs: '以日文通知書為準。',
    number: '紙張編號',
  },
  ko: {
    lang: 'ko',
    name: '한국어',
    title: '통지서',
    how: '이 종이의 번호로 언제든지 중지할 수 있습니다',
    token: '중지용 번호',
    code: '스마트폰으로 스캔하면 중지 절차를 할 수 있습니다',
    web: (host) => `웹: ${host} 을(를) 열고 번호를 입력하십시오.`,
    desk: '창구: "중지하고 싶습니다"라고 말씀하십시오. 이유는 필요 없습니다.',
    phone: (number) => `전화: ${number}`,
    keep: '번호를 아는 사람은 중지 절차를 할 수 있습니다. 다른 사람에게 보여 주지 마십시오.',
    governs: '일본어 통지서가 정본입니다.',
    number: '용지 번호',
  },
  vi: {
    lang: 'vi',
    name: 'Tiếng Việt',
    title: 'Thông báo',
    how: 'Với số trên tờ giấy này, bạn có thể dừng bất cứ lúc nào',
    token: 'Số dùng để dừng',
    code: 'Quét bằng điện thoại để làm thủ tục dừng',
    web: (host) => `Trang web: mở ${host} và nhập số.`,
    desk: 'Tại quầy: hãy nói “Tôi muốn dừng”. Không cần lý do.',
    phone: (number) => `Điện thoại: ${number}`,
    keep: 'Người biết số này có thể làm thủ tục dừng. Đừng cho người khác xem.',
    governs: 'Bản tiếng Nhật là bản chính thức.',
    number: 'Số tờ giấy',
  },
  'pt-BR': {
    lang: 'pt-BR',
    name: 'Português',
    title: 'Aviso',
    how: 'Com o número desta folha, você pode parar a qualquer momento',
    token: 'Número para parar',
    code: 'Leia com o celular para pedir a parada',
    web: (host) => `Internet: abra ${host} e digite o número.`,
    desk: 'No balcão: diga “quero parar”. Não precisa de motivo.',
    phone: (number) => `Telefone: ${number}`,
    keep: 'Quem souber este número pode pedir a parada. Não mostre a outras pessoas.',
    governs: 'Vale o texto em japonês.',
    number: 'Número da folha',
  },
  tl: {
    lang: 'tl',
    name: 'Tagalog',
    title: 'Abiso',
    how: 'Gamit ang numero sa papel na ito, maaari kang tumigil anumang oras',
    token: 'Numero para tumigil',
    code: 'I-scan gamit ang telepono para tumigil',
    web: (host) => `Web: buksan ang ${host} at ilagay ang numero.`,
    desk: 'Sa counter: sabihing “Gusto kong itigil”. Hindi kailangan ng dahilan.',
    phone: (number) => `Telepono: ${number}`,
    keep: 'Sinumang may alam ng numerong ito ay maaaring magpatigil. Huwag ipakita sa iba.',
    governs: 'Ang tekstong Hapon ang may bisa.',
    number: 'Numero ng papel',
  },
  ne: {
    lang: 'ne',
    name: 'नेपाली',
    title: 'सूचना',
    how: 'यो कागजको नम्बरले तपाईं जुनसुकै बेला रोक्न सक्नुहुन्छ',
    token: 'रोक्नको लागि नम्बर',
    code: 'फोनले स्क्यान गरेर रोक्न सकिन्छ',
    web: (host) => `वेब: ${host} खोलेर नम्बर लेख्नुहोस्।`,
    desk: 'काउन्टरमा: “रोक्न चाहन्छु” भन्नुहोस्। कारण चाहिँदैन।',
    phone: (number) => `फोन: ${number}`,
    keep: 'यो नम्बर थाहा हुने मानिसले रोक्न सक्छ। अरूलाई नदेखाउनुहोस्।',
    governs: 'जापानी भाषाको सूचना नै आधिकारिक हो।',
    number: 'कागजको नम्बर',
  },
}
