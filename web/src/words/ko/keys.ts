import type { Words } from "../en";

/** 할 일, 단축키, 라이브러리의 나머지. */
export const palette: Words["palette"] = {
  prompt: "프롬프트 쓰기",
  title: "무엇을 할까요",
  hint: "하려는 일을 입력하세요",
  nothing: "그런 이름의 일이 없습니다.",
};

export const keys: Words["keys"] = {
  title: "단축키",
  single: "한 글자 단축키 사용",
  singleText: "끄면 실수로 눌러도 아무 일도 일어나지 않습니다. Ctrl이나 Cmd와 함께 누르는 키는 그대로 작동합니다.",
  groups: [
    {
      name: "어디서나",
      keys: [
        ["Ctrl K", "이름으로 할 일 찾기"],
        ["G S", "스튜디오"],
        ["G R", "답글"],
        ["G W", "작업"],
        ["?", "이 단축키"],
      ],
    },
    {
      name: "스튜디오",
      keys: [
        ["/", "검색"],
        ["N", "프롬프트"],
        ["Ctrl ↵", "만들기"],
        ["Alt ↑", "이전 프롬프트"],
        ["R", "참고 그림"],
        ["T", "톤"],
        ["A", "앵글"],
        ["S", "비슷한 그림 더 보기"],
        ["X", "선택"],
        ["I", "자세히"],
        ["W", "찾은 이유"],
      ],
    },
    {
      name: "비교",
      keys: [
        ["1 2 3", "나란히, 슬라이더, 번갈아"],
        ["A B", "한쪽 선호"],
        ["L", "좋아요"],
        ["E", "고치기"],
        ["P", "라이브러리에 넣기"],
        ["D", "내려받기"],
      ],
    },
    {
      name: "검토",
      keys: [
        ["J K", "다음, 이전 글"],
        ["1–5", "초안 고르기"],
        ["↵", "승인하고 다음으로"],
        ["E", "고치기, Ctrl ↵로 저장하고 승인"],
        ["X", "거절, 이어서 1–5로 이유"],
        ["S", "나중에"],
        ["C", "복사"],
        ["O", "글 열기"],
        ["G", "다시 쓰기"],
        ["Z", "되돌리기"],
        ["⇧ ↵", "보이는 글 모두 승인"],
      ],
    },
  ],
};

export const duplicates: Words["duplicates"] = {
  title: "중복",
  none: "거의 같은 그림이 없습니다.",
  largest: "가장 큰 것",
  keepLargest: "가장 큰 것만 남기기",
  keepAll: "모두 남기기",
};

export const trash: Words["trash"] = {
  title: "휴지통",
  text: "삭제한 것은 30일 동안 여기에 있습니다.",
  empty: "비어 있습니다.",
  restore: "복원",
  restoreOne: (name) => `${name} 복원`,
  kinds: { image: "그림", "made-image": "만든 그림", collection: "모음", posts: "글", project: "프로젝트" },
};
