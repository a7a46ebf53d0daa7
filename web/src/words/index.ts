import { createContext, useContext } from "react";

import { en, type Words } from "./en";

export type Language = "en" | "ko";

/** Texts of a language; Korean comes when it is asked for. */
export async function wordsOf(language: Language): Promise<Words> {
  return language === "ko" ? (await import("./ko")).ko : en;
}

export const WordsContext = createContext<Words>(en);

export const useWords = () => useContext(WordsContext);

export { en, type Words };
