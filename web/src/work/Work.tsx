import { Soon } from "../shared/Soon";
import { useWords } from "../words";

const COMMANDS = [
  "atelier jobs list",
  "atelier quota",
  "atelier cost",
  "atelier run prompts.jsonl --out answers.jsonl",
];

export function Work() {
  const words = useWords();
  return <Soon title={words.places.work} text={words.soon.work} commands={COMMANDS} />;
}
