import { Link } from "@tanstack/react-router";

import type { Preview } from "../../api/api";
import { shownModel, useModels } from "../../shared/ModelSelect";
import { useMe } from "../../shared/Shell";
import { useWords } from "../../words";
import { compose, SANDBOX, useDraft } from "../draft";
import styles from "./Sides.module.css";

/** Who makes the images: one side, or two to be compared. */
export function Sides({ forecast }: { forecast: Preview["forecast"] | undefined }) {
  const words = useWords();
  const { models } = useDraft();
  const { data: me } = useMe();
  const isAdmin = me?.user.role === "admin";
  const known = useModels();
  const makers = known.data?.models.filter((model) => model.makes_images) ?? [];
  const names = new Set(makers.map((model) => model.model));
  const set = (place: number, model: string) =>
    compose({ models: models.map((one, at) => (at === place ? model : one)) as typeof models });
  return (
    <div className={styles["sides"]}>
      {models.map((model, place) => {
        const letter = place === 0 ? "A" : "B";
        const side = forecast?.sides[place];
        const each =
          side === undefined || side.cost_usd === null || side.cost_usd === undefined || side.images === 0
            ? null
            : side.cost_usd / side.images;
        const isFree = makers.find((one) => one.model === model)?.sandbox ?? model.startsWith("sandbox");
        return (
          // A side is its place: there is nothing else that it could be known by.
          <fieldset key={letter} aria-label={words.composer.side(letter)} className={styles["side"]}>
            <span className={place === 0 ? "side-a" : "side-b"}>{letter}</span>
            <select
              className={`field ${styles["model"]}`}
              aria-label={words.composer.model}
              value={model}
              onChange={(event) => set(place, event.target.value)}
            >
              {!names.has(model) && <option value={model}>{shownModel(model)}</option>}
              {makers.map((maker) => (
                <option key={maker.model} value={maker.model}>
                  {shownModel(maker.model)}
                  {maker.sandbox ? ` · ${words.composer.free}` : maker.ready ? "" : ` · ${words.composer.needsKey}`}
                </option>
              ))}
            </select>
            <span className="soft small">{isFree ? words.composer.free : each === null ? "" : words.money(each)}</span>
            {place === 1 && (
              <button
                type="button"
                className="quiet"
                aria-label={words.composer.removeSide}
                onClick={() => compose({ models: [models[0]] })}
              >
                ×
              </button>
            )}
          </fieldset>
        );
      })}
      {models.length === 1 && (
        <button
          type="button"
          className="quiet"
          onClick={() =>
            compose({
              models: [models[0], makers.find((one) => one.ready && one.model !== models[0])?.model ?? SANDBOX],
            })
          }
        >
          + {words.composer.addSide.replace(/^\+?\s*/, "")}
        </button>
      )}
      {isAdmin && makers.length > 0 && makers.every((one) => one.sandbox || !one.ready) && (
        <p className="soft small">
          <Link to="/settings">{words.composer.pasteKey}</Link>
        </p>
      )}
    </div>
  );
}
