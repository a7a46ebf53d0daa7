import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api, data, queryClient } from "../../api/api";
import { ProblemText } from "../../shared/ProblemText";
import { remember, remembered } from "../../shared/settings";
import { useWords } from "../../words";
import styles from "./lists.module.css";

function useSamples() {
  return useQuery({ queryKey: ["library", "samples"], queryFn: () => data(api.GET("/api/v1/library/samples")) });
}

function useChange(act: "add" | "remove") {
  return useMutation({
    mutationFn: () =>
      act === "add" ? data(api.POST("/api/v1/library/samples")) : data(api.DELETE("/api/v1/library/samples")),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ["library"] });
      await queryClient.invalidateQueries({ queryKey: ["search"] });
    },
  });
}

/** Says that what is shown are samples, as long as there is little else, and takes them away. */
export function SamplesLine() {
  const words = useWords();
  const samples = useSamples();
  const remove = useChange("remove");
  const [isHidden, setHidden] = useState(() => remembered("samples-line") === "hidden");
  if (!samples.data || samples.data.there === 0 || isHidden) return null;
  return (
    <div className={styles["samples"]}>
      <span>{words.grid.samples}</span>
      <button type="button" className="quiet" disabled={remove.isPending} onClick={() => remove.mutate()}>
        {words.grid.removeSamples}
      </button>
      <button
        type="button"
        className="quiet"
        onClick={() => {
          remember("samples-line", "hidden");
          setHidden(true);
        }}
      >
        {words.grid.keepSamples}
      </button>
      <ProblemText error={remove.error} />
    </div>
  );
}

/** Offers the samples where there is nothing to look at yet. */
export function AddSamples() {
  const words = useWords();
  const add = useChange("add");
  return (
    <p>
      <button type="button" className="button" disabled={add.isPending} onClick={() => add.mutate()}>
        {words.grid.addSamples}
      </button>
      <ProblemText error={add.error} />
    </p>
  );
}
