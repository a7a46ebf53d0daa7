import { Soon } from "../shared/Soon";
import { useWords } from "../words";

const COMMANDS = [
  "atelier projects add --finder finder.yml PROJECT",
  "atelier posts import --project PROJECT posts.jsonl",
  "atelier replies generate --project PROJECT",
  "atelier replies list --project PROJECT",
  "atelier replies export --project PROJECT",
];

export function Replies() {
  const words = useWords();
  return <Soon title={words.places.replies} text={words.soon.replies} commands={COMMANDS} />;
}
