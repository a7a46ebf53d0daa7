/** The palette, the keys, and what the library has beside its grid. */
export const palette = {
  prompt: "Write a prompt",
  title: "What to do",
  hint: "Type what you want to do",
  nothing: "Nothing is called that.",
};

export const keys = {
  title: "Keys",
  single: "Single keys do something",
  singleText: "Without them nothing happens by a slip of the finger; keys with Ctrl or Cmd go on working.",
  groups: [
    {
      name: "Everywhere",
      keys: [
        ["Ctrl K", "what to do, by its name"],
        ["G S", "Studio"],
        ["G R", "Replies"],
        ["G W", "Work"],
        ["?", "these keys"],
      ],
    },
    {
      name: "Studio",
      keys: [
        ["/", "search"],
        ["N", "prompt"],
        ["Ctrl ↵", "make"],
        ["Alt ↑", "earlier prompts"],
        ["R", "reference"],
        ["T", "tone"],
        ["A", "angle"],
        ["S", "more like this"],
        ["X", "select"],
        ["I", "details"],
        ["W", "why it was found"],
      ],
    },
    {
      name: "Compare",
      keys: [
        ["1 2 3", "side by side, slider, flip"],
        ["A B", "prefer a side"],
        ["L", "like"],
        ["E", "edit"],
        ["P", "promote"],
        ["D", "download"],
      ],
    },
    {
      name: "Review",
      keys: [
        ["J K", "next, previous post"],
        ["1–5", "choose a draft"],
        ["↵", "approve and go on"],
        ["E", "edit; Ctrl ↵ saves and approves"],
        ["X", "reject, then 1–5 for the reason"],
        ["S", "later"],
        ["C", "copy"],
        ["O", "open the post"],
        ["G", "draft again"],
        ["Z", "undo"],
        ["⇧ ↵", "approve all that are shown"],
      ],
    },
  ] as { name: string; keys: [string, string][] }[],
};

export const duplicates = {
  title: "Duplicates",
  none: "No two images show nearly the same.",
  largest: "the largest",
  keepLargest: "Keep the largest",
  keepAll: "Keep all",
};

export const trash = {
  title: "Trash",
  text: "What is deleted stays here for 30 days.",
  empty: "There is nothing in it.",
  restore: "Restore",
  restoreOne: (name: string) => `Restore ${name}`,
  kinds: {
    image: "image",
    "made-image": "made image",
    collection: "collection",
    posts: "posts",
    project: "project",
  },
};
