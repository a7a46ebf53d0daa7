import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";

import { api, data } from "../../api/api";
import { useWords } from "../../words";
import styles from "../grid/lists.module.css";
import { GenerationCard } from "./GenerationCard";
import { useMadeFilter } from "./MadeFilters";

const PAGE = 100;

/** What was made, a card for each time that something was asked for, the newest first. */
export function MadeList({ scroller }: { scroller: HTMLElement | null }) {
  const words = useWords();
  const { query, isFiltered } = useMadeFilter();
  const made = useInfiniteQuery({
    queryKey: ["made", "all", query],
    queryFn: ({ pageParam }) =>
      data(
        api.GET("/api/v1/images", {
          params: { query: { ...query, limit: PAGE, ...(pageParam ? { after: pageParam } : {}) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (before) => before,
  });
  const generations = useMemo(() => {
    const images = made.data?.pages.flatMap((page) => page.images) ?? [];
    return [...new Set(images.map((image) => image.generation))];
  }, [made.data]);
  const end = useRef<HTMLDivElement>(null);
  const { hasNextPage, isFetching, fetchNextPage } = made;
  useEffect(() => {
    if (!end.current || !hasNextPage) return undefined;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting && !isFetching) void fetchNextPage();
      },
      { root: scroller, rootMargin: "600px" },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [hasNextPage, isFetching, fetchNextPage, scroller]);
  if (made.data && generations.length === 0) {
    return (
      <p role="status" className={styles["empty"]}>
        {isFiltered ? words.grid.nothingMade : words.grid.emptyMade}
      </p>
    );
  }
  return (
    <div className={styles["cards"]}>
      {generations.map((id) => (
        <GenerationCard key={id} id={id} />
      ))}
      <div ref={end} />
    </div>
  );
}
