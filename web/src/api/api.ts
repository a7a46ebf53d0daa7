/** The one client of this page, and what the page asks it. */
import { QueryClient } from "@tanstack/react-query";

import { apiClient, Problem, type Schemas } from "./client";

export const api = apiClient();

export type MadeImage = Schemas["GeneratedImageView"];
export type Generation = Schemas["GenerationView"];
export type LibraryImage = Schemas["ImageView"];
export type Hit = Schemas["HitView"];
export type Found = Schemas["SearchView"];
export type MakeRequest = Schemas["MakeRequest"];
export type Preview = Schemas["PreviewView"];
export type Pick = Schemas["PickWanted"];
export type Plan = Schemas["Plan"];
export type Draft = Schemas["DraftView"];
export type Job = Schemas["JobView"];
export type Project = Schemas["ProjectView"];

/** The data of an answer that has to be there: problems are thrown before. */
export async function data<T>(answer: Promise<{ data?: T }>): Promise<T> {
  const { data } = await answer;
  return data as T;
}

/** Whether asking again could help: what the server has refused, it refuses again. */
function mayHelp(failures: number, error: Error): boolean {
  if (error instanceof Problem && error.told.status < 500) return false;
  return failures < 3;
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: { retry: mayHelp, staleTime: 30_000, refetchOnWindowFocus: false },
    mutations: { retry: false },
  },
});

/** What browsers show of themselves; of anything else there are thumbnails. */
const SHOWN = ["jpeg", "png", "webp", "gif", "avif"];

/** The addresses of pictures. A thumbnail's longer side is 256 or 512 pixels. */
export const picture = {
  thumbnail: (id: string, size: 256 | 512 = 256) =>
    `/api/v1/library/images/${encodeURIComponent(id)}/thumbnail?size=${size}`,
  original: (id: string) => `/api/v1/library/images/${encodeURIComponent(id)}/original`,
  /** An image of the library as large as it can be shown. */
  large: (id: string, format: string | undefined) =>
    format !== undefined && SHOWN.includes(format) ? picture.original(id) : picture.thumbnail(id, 512),
  made: (id: string) => `/api/v1/images/${encodeURIComponent(id)}/file`,
  madeThumbnail: (id: string, size: 256 | 512 = 256) =>
    `/api/v1/images/${encodeURIComponent(id)}/thumbnail?size=${size}`,
  upload: (id: string) => `/api/v1/uploads/${encodeURIComponent(id)}/content`,
};

/** A file as the body of a request: the document calls bytes an array of numbers, a browser sends the file as it is. */
export function fileBody(file: Blob) {
  return {
    body: file as unknown as number[],
    bodySerializer: () => file,
    headers: { "Content-Type": "application/octet-stream" },
  };
}
