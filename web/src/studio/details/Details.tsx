import { useMutation, useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { api, data, picture, queryClient } from "../../api/api";
import { Dialog } from "../../shared/Dialog";
import { useKeys } from "../../shared/keys";
import { ProblemText } from "../../shared/ProblemText";
import { useToast } from "../../shared/Toasts";
import { useWords } from "../../words";
import { pick } from "../draft";
import { useLook } from "../Studio";
import styles from "./Details.module.css";

/** A picture large, with all that is known of it: one of the library, or one that was made. */
export default function Details(props: { image: string | undefined; made: string | undefined; onClose: () => void }) {
  const words = useWords();
  return (
    <Dialog label={words.details.title} onClose={props.onClose} isWide>
      {props.made ? <Made id={props.made} /> : props.image ? <OfLibrary id={props.image} /> : null}
    </Dialog>
  );
}

function OfLibrary({ id }: { id: string }) {
  const words = useWords();
  const look = useLook();
  const image = useQuery({
    queryKey: ["library", "image", id],
    queryFn: () => data(api.GET("/api/v1/library/images/{id}", { params: { path: { id } } })),
  });
  const one = image.data;
  return (
    <Layout src={picture.large(id, one?.format)} alt={one?.caption || one?.filename || ""} error={image.error}>
      {one && (
        <>
          <dl className={styles["facts"]}>
            <Fact name={words.details.file}>{one.filename}</Fact>
            {one.caption && <Fact name={words.details.caption}>{one.caption}</Fact>}
            <Fact name={words.details.size}>
              {one.width} × {one.height}
            </Fact>
            {one.labels.length > 0 && <Fact name={words.details.tags}>{one.labels.join(", ")}</Fact>}
            {one.collections.length > 0 && <Fact name={words.details.collections}>{one.collections.join(", ")}</Fact>}
            <Fact name={words.details.colors}>
              <span className={styles["colors"]}>
                {one.palette.map((color) => (
                  <span key={color} title={color} style={{ background: color }} />
                ))}
              </span>
            </Fact>
          </dl>
          <p className={styles["acts"]}>
            <button
              type="button"
              className="button"
              onClick={() => {
                pick({ pick: { image: id }, name: one.caption || one.filename, thumbnail: picture.thumbnail(id) });
                look({ i: undefined });
              }}
            >
              {words.details.reference}
            </button>
            <button type="button" className="button" onClick={() => look({ i: undefined, edit: `image:${id}` })}>
              {words.edit.title}
            </button>
            <button type="button" className="button" onClick={() => look({ i: undefined, like: id, q: undefined })}>
              {words.grid.likeThis}
            </button>
            <a className="button" href={`${picture.original(id)}?download=true`} download>
              {words.details.download}
            </a>
          </p>
        </>
      )}
    </Layout>
  );
}

function Made({ id }: { id: string }) {
  const words = useWords();
  const look = useLook();
  const toast = useToast();
  const image = useQuery({
    queryKey: ["image", id],
    queryFn: () => data(api.GET("/api/v1/images/{id}", { params: { path: { id } } })),
  });
  const generation = useQuery({
    queryKey: ["generation", image.data?.generation],
    queryFn: () =>
      data(api.GET("/api/v1/generations/{id}", { params: { path: { id: image.data?.generation ?? "" } } })),
    enabled: image.data !== undefined,
  });
  const change = useMutation({
    mutationFn: (body: { liked?: boolean; note?: string }) =>
      data(api.PATCH("/api/v1/images/{id}", { params: { path: { id } }, body })),
    onSuccess: (next) => {
      queryClient.setQueryData(["image", id], next);
      void queryClient.invalidateQueries({ queryKey: ["made"] });
    },
  });
  const promote = useMutation({
    mutationFn: () => data(api.POST("/api/v1/images/promotions", { body: { ids: [id] } })),
    onSuccess: () => toast({ text: words.details.promoted }),
  });
  const one = image.data;
  const [dialog, setDialog] = useState<HTMLElement | null>(null);
  useKeys(
    { l: () => one && change.mutate({ liked: !one.liked }), p: () => promote.mutate() },
    dialog?.closest("dialog") ?? null,
  );
  const plan = generation.data?.plan;
  const side = plan?.sides.find((other) => other.name === one?.side);
  return (
    <div ref={setDialog} className={styles["layout"]}>
      <Layout src={picture.made(id)} alt={one?.prompt ?? ""} error={image.error ?? change.error ?? promote.error}>
        {one && (
          <>
            <dl className={styles["facts"]}>
              <Fact name={words.details.prompt}>{one.prompt}</Fact>
              <Fact name={words.details.model}>
                <span className={one.side === "a" ? "side-a" : "side-b"}>{one.side.toUpperCase()}</span> {one.model}
              </Fact>
              <Fact name={words.details.size}>
                {one.width} × {one.height}
                {plan && one.width && one.height && one.width * plan.height !== one.height * plan.width && (
                  <span className="soft"> · {words.details.askedFor(`${plan.width} × ${plan.height}`)}</span>
                )}
              </Fact>
              {plan && <Fact name={words.details.seed}>{plan.seed + one.place - 1}</Fact>}
              <Fact name={words.details.cost}>
                {one.model.startsWith("sandbox")
                  ? words.generation.free
                  : one.cost_usd === null || one.cost_usd === undefined
                    ? words.composer.unknownPrice
                    : words.money(one.cost_usd)}
                {one.cost_estimated && ` · ${words.details.estimated}`}
              </Fact>
              <Fact name={words.details.made}>{new Date(one.created_at).toLocaleString()}</Fact>
              {side && side.references.length > 0 && (
                <Fact name={words.details.references}>
                  <ul className={styles["references"]}>
                    {side.references.map((reference) => (
                      <li key={`${reference.role}-${reference.name}`}>
                        {reference.image && <img src={picture.thumbnail(reference.image)} alt="" />}
                        <span className="small soft">
                          {reference.role} · {reference.name}
                          {reference.drawn && ` · ${words.composer.drawn(reference.drawn.best, reference.drawn.pool)}`}
                        </span>
                      </li>
                    ))}
                  </ul>
                </Fact>
              )}
            </dl>
            <label className={styles["note"]}>
              <span className="label">{words.details.note}</span>
              <textarea
                className="field"
                rows={2}
                defaultValue={one.note ?? ""}
                onBlur={(event) => {
                  if (event.target.value !== (one.note ?? "")) change.mutate({ note: event.target.value });
                }}
              />
            </label>
            <p className={styles["acts"]}>
              <button
                type="button"
                className="button"
                aria-pressed={one.liked}
                onClick={() => change.mutate({ liked: !one.liked })}
              >
                {one.liked ? "♥" : "♡"} {words.compare.like} <kbd>L</kbd>
              </button>
              <button type="button" className="button" onClick={() => promote.mutate()}>
                {words.details.promote} <kbd>P</kbd>
              </button>
              <button
                type="button"
                className="button"
                onClick={() => {
                  pick({ pick: { made: id }, name: one.prompt, thumbnail: picture.madeThumbnail(id) });
                  look({ m: undefined });
                }}
              >
                {words.details.reference}
              </button>
              <button type="button" className="button" onClick={() => look({ m: undefined, edit: `made:${id}` })}>
                {words.edit.title}
              </button>
              <button
                type="button"
                className="button"
                onClick={() => look({ m: undefined, compare: one.generation, pair: one.place })}
              >
                {words.generation.compare}
              </button>
              <a className="button" href={`${picture.made(id)}?download=true`} download>
                {words.details.download}
              </a>
            </p>
          </>
        )}
      </Layout>
    </div>
  );
}

function Layout(props: { src: string; alt: string; error: Error | null; children: ReactNode }) {
  return (
    <div className={styles["layout"]}>
      <div className={styles["picture"]}>
        <img src={props.src} alt={props.alt} />
      </div>
      <div className={styles["aside"]}>
        {props.children}
        <ProblemText error={props.error} />
      </div>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt className="label">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
