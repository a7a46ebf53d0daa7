//! From what a user wants to a plan. No paid call is made here but, where a model is to choose the category, that one.

use std::collections::HashMap;
use std::sync::Arc;

use atelier_embed::TextEmbedder;
use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::ImageStudio;
use super::camera::Presets;
use super::category::{self, Category};
use super::plan::{
    CategoryChoice, Choice, Edit, EditedFiles, GenerationRequest, MOST_CHARACTERS, MOST_IMAGES, Mode, Pick, Plan,
    PlannedSide, Reference, Role, SIDES, SideRequest,
};
use super::prompt::{Composition, Mask, compose};
use super::references::Finder;
use crate::error::{RequestFault, StudioError, StudioResult};
use crate::search::ImageSearch;
use atelier_providers::abilities;

/// What helps to plan.
pub struct Helpers<'a> {
    /// Finds references.
    pub search: &'a ImageSearch,
    /// The categories of tone.
    pub categories: &'a [Category],
    /// What chooses the category where neither the user nor a model does.
    pub text: Option<Arc<dyn TextEmbedder>>,
    /// The category that a model chose, if one was asked.
    pub classified: Option<CategoryChoice>,
}

/// A picture that is to be changed.
#[derive(Clone, Debug)]
pub struct EditRequest {
    /// The made image that it is, if it is one.
    pub of: Option<String>,
    /// What the user calls it: an id, or a file's name.
    pub name: String,
    /// Whether the model may change all of it, and not only what the mask says.
    pub whole: bool,
    /// Its file.
    pub picture: Bytes,
    /// A picture of the same shape: it says where the change is to be, by transparency or, without any, by white.
    pub mask: Bytes,
    /// A picture of what is to be put in.
    pub replacement: Option<Pick>,
}

impl GenerationRequest {
    /// That it can be planned.
    ///
    /// # Errors
    /// [`StudioError::BadRequest`] says what can't.
    pub fn check(&self) -> StudioResult<()> {
        let bad = |fault, message: String| Err(StudioError::BadRequest { fault, message });
        if self.prompt.trim().is_empty() {
            return bad(RequestFault::PromptEmpty, "there is no prompt".into());
        }
        let characters = self.prompt.chars().count();
        if characters > MOST_CHARACTERS {
            let message = format!("the prompt has {characters} characters; at most {MOST_CHARACTERS} can be sent");
            return bad(RequestFault::PromptTooLong, message);
        }
        if !(1..=MOST_IMAGES).contains(&self.count) {
            return bad(
                RequestFault::CountInvalid,
                format!("{} images can't be made: from 1 to {MOST_IMAGES} a side", self.count),
            );
        }
        if !matches!(self.sides.len(), 1 | 2) {
            return bad(RequestFault::SidesInvalid, format!("there are one or two sides, not {}", self.sides.len()));
        }
        let (width, height) = self.size;
        if !SIDES.contains(&width) || !SIDES.contains(&height) {
            let message =
                format!("{width} x {height} pixels can't be made: sides are from {} to {}", SIDES.start(), SIDES.end());
            return bad(RequestFault::SizeInvalid, message);
        }
        if let Some(color) = self.palette.iter().find(|color| atelier_search::rgb(color).is_none()) {
            return bad(RequestFault::ColorInvalid, format!("'{color}' is no colour such as #a0c4ff"));
        }
        for side in &self.sides {
            let (picks, most) = (self.picks.len(), abilities(&side.model).references);
            if picks > most {
                let message = format!("{picks} references were picked, and {} takes at most {most}", side.model);
                return bad(RequestFault::TooManyReferences, message);
            }
        }
        Ok(())
    }
}

impl ImageStudio {
    /// Plans what is wanted: chooses references, composes prompts, and keeps what is to be sent.
    ///
    /// # Errors
    /// [`StudioError::BadRequest`] for what can't be made; [`StudioError::NoSuchImage`] for a reference that is not there;
    /// [`StudioError::Picture`] for one that can't be read; what the search and the store report.
    pub fn plan<'a>(
        &'a self,
        request: &'a GenerationRequest,
        helpers: &'a Helpers<'_>,
    ) -> BoxFuture<'a, StudioResult<Plan>> {
        Box::pin(self.plan_of(request, helpers))
    }

    async fn plan_of(&self, request: &GenerationRequest, helpers: &Helpers<'_>) -> StudioResult<Plan> {
        request.check()?;
        let presets = Presets::builtin()?;
        let camera = presets.words(&request.camera)?;
        let seed = request.seed.unwrap_or_else(drawn_seed);
        let finder = self.finder(helpers.search, request.collection.as_deref(), request.reference_seed.unwrap_or(seed));
        let category = self.category(request, helpers).await?;
        let mut picks = Vec::with_capacity(request.picks.len());
        for pick in &request.picks {
            picks.push(finder.pick(pick, Role::Subject).await?);
        }
        let mut sides = Vec::with_capacity(2);
        let category_of = category.as_ref();
        let mut choosing = Choosing {
            finder: &finder,
            request,
            helpers,
            category: category_of,
            camera: &camera,
            chosen: HashMap::new(),
        };
        for (name, side) in ["a", "b"].into_iter().zip(&request.sides) {
            sides.push(choosing.side(name, side, &picks).await?);
        }
        Ok(Plan {
            prompt: request.prompt.clone(),
            project: request.project.clone(),
            count: request.count,
            seed,
            width: request.size.0,
            height: request.size.1,
            category,
            camera: request.camera.clone(),
            sides,
            edit: None,
        })
    }

    /// Plans a change of a picture. The request's references are not used; its size is the picture's.
    ///
    /// # Errors
    /// As of [`plan`](Self::plan), and [`StudioError::BadRequest`] for a mask that fits the picture in no way.
    pub fn plan_edit<'a>(
        &'a self,
        request: &'a GenerationRequest,
        edit: &'a EditRequest,
        helpers: &'a Helpers<'_>,
    ) -> BoxFuture<'a, StudioResult<Plan>> {
        Box::pin(self.plan_of_edit(request, edit, helpers))
    }

    async fn plan_of_edit(
        &self,
        request: &GenerationRequest,
        edit: &EditRequest,
        helpers: &Helpers<'_>,
    ) -> StudioResult<Plan> {
        let finder = self.finder(helpers.search, None, 0);
        let (picture, _) = finder.sent(edit.picture.clone()).await?;
        let request = GenerationRequest {
            size: (picture.width.max(*SIDES.start()), picture.height.max(*SIDES.start())),
            ..request.clone()
        };
        request.check()?;
        let camera = Presets::builtin()?.words(&request.camera)?;
        let replacement = match &edit.replacement {
            Some(pick) => Some(finder.pick(pick, Role::Replacement).await?),
            None => None,
        };
        let apart = request.sides.iter().all(|side| abilities(&side.model).masks);
        let mask = super::edit::mask(&edit.mask, picture.width, picture.height, apart).await?;
        let mask = finder.keep(mask, "image/png", picture.width, picture.height).await?;
        let within = if edit.whole {
            None
        } else {
            let (width, height) = (picture.width, picture.height);
            // By the sizes at which they are sent: what they are themselves, their files say.
            let of_picture = finder.keep(edit.picture.clone(), "application/octet-stream", width, height).await?;
            let of_mask = finder.keep(edit.mask.clone(), "application/octet-stream", width, height).await?;
            Some(EditedFiles { picture: of_picture, mask: of_mask })
        };
        let references: Vec<Reference> = replacement.into_iter().collect();
        let side = |(name, side): (&str, &SideRequest)| {
            let prompt = compose(&Composition {
                subject: &request.prompt,
                images: &references.iter().collect::<Vec<_>>(),
                camera: &camera,
                palette: &request.palette,
                size: request.size,
                mask: if apart { Mask::Apart } else { Mask::Image },
            });
            PlannedSide {
                name: name.to_owned(),
                model: side.model.clone(),
                mode: Mode::Off,
                prompt,
                references: references.clone(),
                palette: request.palette.clone(),
                seeded: abilities(&side.model).seeds,
            }
        };
        Ok(Plan {
            prompt: request.prompt.clone(),
            project: request.project.clone(),
            count: request.count,
            seed: request.seed.unwrap_or_else(drawn_seed),
            width: request.size.0,
            height: request.size.1,
            category: None,
            camera: request.camera.clone(),
            sides: ["a", "b"].into_iter().zip(&request.sides).map(side).collect(),
            edit: Some(Edit { of: edit.of.clone(), name: edit.name.clone(), picture, mask, mask_apart: apart, within }),
        })
    }

    fn finder<'a>(&'a self, search: &'a ImageSearch, collection: Option<&'a str>, seed: u64) -> Finder<'a> {
        Finder { library: self.library(), search, reader: self.reader(), prepared: &self.prepared, collection, seed }
    }

    /// The category of tone: the user's, the model's, or the one whose words are nearest.
    async fn category(
        &self,
        request: &GenerationRequest,
        helpers: &Helpers<'_>,
    ) -> StudioResult<Option<CategoryChoice>> {
        if let Some(name) = &request.category {
            return category::named(helpers.categories, name).map(Some);
        }
        if let Some(choice) = &helpers.classified {
            return Ok(Some(choice.clone()));
        }
        let draws = request.sides.iter().any(|side| side.mode != Mode::Off && side.tone == Choice::Draw);
        match &helpers.text {
            Some(text) if draws => category::nearest(helpers.categories, &request.prompt, Arc::clone(text)).await,
            _ => Ok(None),
        }
    }
}

/// The choice of a side's references.
struct Choosing<'a> {
    finder: &'a Finder<'a>,
    request: &'a GenerationRequest,
    helpers: &'a Helpers<'a>,
    category: Option<&'a CategoryChoice>,
    camera: &'a [String],
    /// References that were found for a side before.
    chosen: HashMap<String, Option<Reference>>,
}

impl Choosing<'_> {
    async fn side(&mut self, name: &str, side: &SideRequest, picks: &[Reference]) -> StudioResult<PlannedSide> {
        let abilities = abilities(&side.model);
        let mut references = picks.to_vec();
        let mut room = abilities.references.saturating_sub(picks.len());
        for (role, choice) in [(Role::Tone, &side.tone), (Role::Angle, &side.angle)] {
            let sends = side.mode == Mode::Auto;
            // In a prompt, colours stand for a tone; nothing stands for an angle.
            let wanted = sends || (side.mode == Mode::PaletteOnly && role == Role::Tone);
            if !wanted || (sends && room == 0) {
                continue;
            }
            // Sides that want the same have the same: it is looked for once.
            let asked = format!(
                "{role:?} {choice:?} {sends} {:?}",
                references.iter().map(|one| &one.image).collect::<Vec<_>>()
            );
            let found = match self.chosen.get(&asked) {
                Some(found) => found.clone(),
                None => {
                    let found = self.one(role, choice, &references, sends).await?;
                    self.chosen.insert(asked, found.clone());
                    found
                }
            };
            if let Some(reference) = found {
                room = room.saturating_sub(usize::from(sends));
                references.push(reference);
            }
        }
        let palette = match references.iter().find(|reference| reference.role == Role::Tone && reference.sent.is_none())
        {
            Some(tone) if self.request.palette.is_empty() => tone.palette.clone(),
            _ => self.request.palette.clone(),
        };
        let sent: Vec<&Reference> = references.iter().filter(|reference| reference.sent.is_some()).collect();
        let prompt = compose(&Composition {
            subject: &self.request.prompt,
            images: &sent,
            camera: self.camera,
            palette: &palette,
            size: self.request.size,
            mask: Mask::None,
        });
        let (name, model) = (name.to_owned(), side.model.clone());
        Ok(PlannedSide { name, model, mode: side.mode, prompt, references, palette, seeded: abilities.seeds })
    }

    async fn one(
        &self,
        role: Role,
        choice: &Choice,
        already: &[Reference],
        send: bool,
    ) -> StudioResult<Option<Reference>> {
        match choice {
            Choice::Off => Ok(None),
            Choice::Fixed(id) => self.finder.fixed(id, role, send).await.map(Some),
            Choice::Draw => {
                let category = self.category.filter(|_| role == Role::Tone);
                let more = match category {
                    Some(choice) => self.helpers.categories.iter().find(|known| known.name == choice.name),
                    None => None,
                };
                let more = match role {
                    Role::Angle => self.camera.join(" "),
                    _ => more.map(|category| category.words.clone()).unwrap_or_default(),
                };
                let words = format!("{} {more}", self.request.prompt.trim());
                let passed_over: Vec<String> = already.iter().filter_map(|reference| reference.image.clone()).collect();
                let category = category.map(|choice| choice.name.as_str());
                self.finder.drawn(role, words.trim(), category, &passed_over, send).await
            }
        }
    }
}

/// A seed that any model takes: they take 31 bits.
pub(super) fn drawn_seed() -> u64 {
    u64::from(fastrand::u32(1..=i32::MAX.unsigned_abs()))
}

/// The prompt of a side for another subject, everything else being as it was planned.
pub(super) fn recompose(plan: &Plan, side: &PlannedSide, subject: &str) -> StudioResult<String> {
    let camera = Presets::builtin()?.words(&plan.camera)?;
    let sent: Vec<&Reference> = side.references.iter().filter(|reference| reference.sent.is_some()).collect();
    Ok(compose(&Composition {
        subject,
        images: &sent,
        camera: &camera,
        palette: &side.palette,
        size: (plan.width, plan.height),
        mask: match &plan.edit {
            None => Mask::None,
            Some(edit) if edit.mask_apart => Mask::Apart,
            Some(_) => Mask::Image,
        },
    }))
}
