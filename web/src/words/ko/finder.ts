import type { Words } from "../en";

/** 양식으로 쓰는 finder.yml. */
export const finder: Words["finder"] = {
  unreadable: "파일을 읽을 수 없습니다. 먼저 고쳐 주세요.",
  topics: "주제",
  label: "이름",
  description: "무엇에 관한 것인지",
  exemplars: "이 주제에 속하는 게시물, 한 줄에 하나",
  addTopic: "주제 추가",
  voice: "목소리",
  persona: "답하는 사람",
  constraints: "규칙, 한 줄에 하나",
  good: "어울리는 답글, 한 줄에 하나",
  bad: "어울리지 않는 답글, 한 줄에 하나",
  sources: "누구와 무엇",
  preferred: "우대하는 작성자",
  leftOut: "제외하는 작성자",
  keywords: "있으면 제외하는 단어",
  languages: "받는 언어 (비우면 모두)",
  thresholds: "기준점",
  green: "초록 기준",
  yellow: "노랑 기준",
  lets: (green, yellow, all) =>
    `점수가 매겨진 ${all}개 중 초록 ${green}개, 노랑 ${yellow}개, 빨강 ${all - green - yellow}개.`,
  noScores: "게시물에 점수가 매겨지면 무엇이 통과하는지 여기에 나옵니다.",
  weights: "가중치",
  weightNames: { velocity: "반응 속도", relevance: "관련성", openness: "열린 정도", author_quality: "작성자" },
};
