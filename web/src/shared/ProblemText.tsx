import { Problem } from "../api/client";
import { useWords } from "../words";

/** What went wrong, what to do about it, and by what it is found in the log. Nothing, if nothing did. */
export function ProblemText({ error }: { error: Error | null }) {
  const words = useWords();
  if (error === null) return null;
  if (!(error instanceof Problem)) {
    return (
      <p role="alert" className="problem">
        {words.serverGone}
      </p>
    );
  }
  const { detail, hint, errors, request_id } = error.told;
  return (
    <div role="alert" className="problem small">
      <p>
        {detail}
        {hint ? `: ${hint}` : ""}
      </p>
      {errors?.map((one) => (
        <p key={one.pointer}>
          {one.pointer} {one.message}
        </p>
      ))}
      {request_id && <p className="soft">{words.problem(request_id)}</p>}
    </div>
  );
}
