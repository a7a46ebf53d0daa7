import { useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";

import { api, data, picture } from "../../api/api";
import { useWords } from "../../words";
import { useMadeFilter } from "../generation/MadeFilters";
import { useLook } from "../Studio";
import { Grid } from "./Grid";
import styles from "./lists.module.css";
import { useDensity } from "./useDensity";
import { useSelection } from "./useSelection";

const PAGE = 200;

/** Images that were made and liked. */
export function LikedList({ scroller }: { scroller: HTMLElement | null }) {
  const words = useWords();
  const look = useLook();
  const { query, isFiltered } = useMadeFilter();
  const liked = useInfiniteQuery({
    queryKey: ["made", "liked", query],
    queryFn: ({ pageParam }) =>
      data(
        api.GET("/api/v1/images", {
          params: { query: { ...query, liked: true, limit: PAGE, ...(pageParam ? { after: pageParam } : {}) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (before) => before,
  });
  const images = useMemo(() => liked.data?.pages.flatMap((page) => page.images) ?? [], [liked.data]);
  const ratios = useMemo(() => images.map((one) => (one.width && one.height ? one.width / one.height : 1)), [images]);
  const cell = useCallback(
    (place: number) => {
      const one = images[place];
      return one && { id: one.id, name: one.prompt, src: picture.madeThumbnail(one.id) };
    },
    [images],
  );
  const { selected, select } = useSelection(cell);
  const { height, control } = useDensity();
  if (liked.data && images.length === 0)
    return <p className={styles["empty"]}>{isFiltered ? words.grid.nothingMade : words.grid.emptyLiked}</p>;
  return (
    <>
      <div className={styles["head"]}>
        <p role="status" className="soft small">
          {words.grid.all(words.count(images.length))}
        </p>
        {control}
      </div>
      <Grid
        ratios={ratios}
        cell={cell}
        onDrawn={(_, to) => {
          if (to >= images.length && liked.hasNextPage && !liked.isFetching) void liked.fetchNextPage();
        }}
        onOpen={(one) => look({ m: one.id })}
        selected={selected}
        onSelect={select}
        height={height}
        scroller={scroller}
      />
    </>
  );
}
