/** The addresses of the studio. Each can be sent to a colleague; what an overlay shows stands in the query. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import * as v from "valibot";

import { Shell } from "./shared/Shell";
import { Studio } from "./studio/Studio";

/** What is looked at: which list, by which words, what is open. What can't be read is left out. */
const studioSearch = v.object({
  in: v.fallback(v.optional(v.picklist(["library", "made", "liked"])), undefined),
  q: v.fallback(v.optional(v.string()), undefined),
  f: v.fallback(v.optional(v.array(v.string())), undefined),
  like: v.fallback(v.optional(v.string()), undefined),
  i: v.fallback(v.optional(v.string()), undefined),
  m: v.fallback(v.optional(v.string()), undefined),
  edit: v.fallback(v.optional(v.string()), undefined),
  compare: v.fallback(v.optional(v.string()), undefined),
  pair: v.fallback(v.optional(v.number()), undefined),
  mode: v.fallback(v.optional(v.picklist(["beside", "slider", "flip"])), undefined),
  color: v.fallback(v.optional(v.pipe(v.string(), v.hexColor())), undefined),
  upload: v.fallback(v.optional(v.string()), undefined),
  model: v.fallback(v.optional(v.string()), undefined),
  project: v.fallback(v.optional(v.string()), undefined),
  days: v.fallback(v.optional(v.picklist([1, 7, 30, 365])), undefined),
  show: v.fallback(v.optional(v.picklist(["duplicates", "trash"])), undefined),
});
export type StudioSearch = v.InferOutput<typeof studioSearch>;

const root = createRootRoute({ component: Shell });
const studio = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: (search) => v.parse(studioSearch, search),
  component: Studio,
});
const replies = createRoute({
  getParentRoute: () => root,
  path: "/replies",
  component: lazyRouteComponent(() => import("./replies/Replies"), "Replies"),
});
const project = createRoute({
  getParentRoute: () => root,
  path: "/replies/$project",
  validateSearch: (search) =>
    v.parse(
      v.object({ posts: v.fallback(v.optional(v.picklist(["all", "green", "yellow", "red"])), undefined) }),
      search,
    ),
  component: lazyRouteComponent(() => import("./replies/Project"), "Project"),
});
const review = createRoute({
  getParentRoute: () => root,
  path: "/review/$project",
  validateSearch: (search) =>
    v.parse(
      v.object({
        post: v.fallback(v.optional(v.string()), undefined),
        status: v.fallback(v.optional(v.picklist(["all", "open", "approved", "rejected"])), undefined),
        label: v.fallback(v.optional(v.picklist(["green", "yellow", "red"])), undefined),
      }),
      search,
    ),
  component: lazyRouteComponent(() => import("./replies/review/Review"), "Review"),
});
const work = createRoute({
  getParentRoute: () => root,
  path: "/work",
  validateSearch: (search) => v.parse(v.object({ job: v.fallback(v.optional(v.string()), undefined) }), search),
  component: lazyRouteComponent(() => import("./work/Work"), "Work"),
});
const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: lazyRouteComponent(() => import("./settings/Settings"), "Settings"),
});
const welcome = createRoute({
  getParentRoute: () => root,
  path: "/welcome",
  component: lazyRouteComponent(() => import("./settings/Welcome"), "Welcome"),
});

export const router = createRouter({
  routeTree: root.addChildren([studio, replies, project, review, work, settings, welcome]),
  defaultPreload: "intent",
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
