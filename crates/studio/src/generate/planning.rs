//! From what a user wants to a plan. No paid call is made here but, where a model is to choose the category, that one.

use std::sync::Arc;

use atelier_embed::TextEmbedder;
use bytes::Bytes;

use super::ImageStudio;
use super::camera::Presets;
use super::category::{self, Category};
use super::models::abilities;
use super::plan::{
    CategoryChoice, Choice, Edit, MOST_CHARACTERS, MOST_IMAGES, Mode, Pick, Plan, PlannedSide, Reference, Role, SIDES,
    SideWish, Wish,
};
use super::prompt::{Composition, Mask, compose};
use super::references::Finder;
use crate::error::{StudioError, StudioResult};
use crate::search::ImageSearch;

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
pub struct EditWish {
    /// The made image that it is, if it is one.
    pub of: Option<String>,
    /// Its file.
    pub picture: Bytes,
    /// A picture of the same shape: it says where the change is to be, by transparency or, without any, by white.
    pub mask: Bytes,
    /// A picture of what is to be put in.
    pub replacement: Option<Pick>,
}

impl Wish {
    /// That it can be planned.
    ///
    /// # Errors
    /// [`StudioError::Wish`] says what can't.
    pub fn check(&self) -> StudioResult<()> {
        let bad = |code, message: String| Err(StudioError::Wish { code, message });
        if self.prompt.trim().is_empty() {
            return bad("prompt-empty", "there is no prompt".into());
        }
        let characters = self.prompt.chars().count();
        if characters > MOST_CHARACTERS {
            let message = format!("the prompt has {characters} characters; at most {MOST_CHARACTERS} can be sent");
            return bad("prompt-too-long", message);
        }
        if !(1..=MOST_IMAGES).contains(&self.count) {
            return bad(
                "count-invalid",
                format!("{} images can't be made: from 1 to {MOST_IMAGES} a side", self.count),
            );
        }
        if !matches!(self.sides.len(), 1 | 2) {
            return bad("sides-invalid", format!("there are one or two sides, not {}", self.sides.len()));
        }
        let (width, height) = self.size;
        if !SIDES.contains(&width) || !SIDES.contains(&height) {
            let message =
                format!("{width} x {height} pixels can't be made: sides are from {} to {}", SIDES.start(), SIDES.end());
            return bad("size-invalid", message);
        }
        if let Some(color) = self.palette.iter().find(|color| crate::search::rgb(color).is_none()) {
            return bad("color-invalid", format!("'{color}' is no colour such as #a0c4ff"));
        }
        for side in &self.sides {
            let (picks, most) = (self.picks.len(), abilities(&side.model).references);
            if picks > most {
                let message = format!("{picks} references were picked, and {} takes at most {most}", side.model);
                return bad("too-many-references", message);
            }
        }
        Ok(())
    }
}

impl ImageStudio {
    /// Plans what is wanted: chooses references, composes prompts, and keeps what is to be sent.
    ///
    /// # Errors
    /// [`StudioError::Wish`] for what can't be made; [`StudioError::NoSuchImage`] for a reference that is not there;
    /// [`StudioError::Picture`] for one that can't be read; what the search and the store report.
    pub async fn plan(&self, wish: &Wish, helpers: &Helpers<'_>) -> StudioResult<Plan> {
        wish.check()?;
        let presets = Presets::builtin()?;
        let camera = presets.words(&wish.camera)?;
        let seed = wish.seed.unwrap_or_else(drawn_seed);
        let finder = self.finder(helpers.search, wish.collection.as_deref(), wish.reference_seed.unwrap_or(seed));
        let category = self.category(wish, helpers).await?;
        let mut picks = Vec::with_capacity(wish.picks.len());
        for pick in &wish.picks {
            picks.push(finder.pick(pick, Role::Subject).await?);
        }
        let mut sides = Vec::with_capacity(2);
        for (name, side) in ["a", "b"].into_iter().zip(&wish.sides) {
            let choosing = Choosing { finder: &finder, wish, helpers, category: category.as_ref(), camera: &camera };
            sides.push(choosing.side(name, side, &picks).await?);
        }
        Ok(Plan {
            prompt: wish.prompt.clone(),
            project: wish.project.clone(),
            count: wish.count,
            seed,
            width: wish.size.0,
            height: wish.size.1,
            category,
            camera: wish.camera.clone(),
            sides,
            edit: None,
        })
    }

    /// Plans a change of a picture. The wish's references are not used; its size is the picture's.
    ///
    /// # Errors
    /// As of [`plan`](Self::plan), and [`StudioError::Wish`] for a mask that fits the picture in no way.
    pub async fn plan_edit(&self, wish: &Wish, edit: &EditWish, helpers: &Helpers<'_>) -> StudioResult<Plan> {
        let finder = self.finder(helpers.search, None, 0);
        let (picture, _) = finder.sent(edit.picture.clone()).await?;
        let wish =
            Wish { size: (picture.width.max(*SIDES.start()), picture.height.max(*SIDES.start())), ..wish.clone() };
        wish.check()?;
        let camera = Presets::builtin()?.words(&wish.camera)?;
        let replacement = match &edit.replacement {
            Some(pick) => Some(finder.pick(pick, Role::Replacement).await?),
            None => None,
        };
        let apart = wish.sides.iter().all(|side| abilities(&side.model).masks);
        let mask = super::edit::mask(&edit.mask, picture.width, picture.height, apart).await?;
        let mask = finder.keep(mask, "image/png", picture.width, picture.height).await?;
        let references: Vec<Reference> = replacement.into_iter().collect();
        let side = |(name, side): (&str, &SideWish)| {
            let prompt = compose(&Composition {
                subject: &wish.prompt,
                images: &references.iter().collect::<Vec<_>>(),
                camera: &camera,
                palette: &wish.palette,
                size: wish.size,
                mask: if apart { Mask::Apart } else { Mask::Image },
            });
            PlannedSide {
                name: name.to_owned(),
                model: side.model.clone(),
                mode: Mode::Off,
                prompt,
                references: references.clone(),
                palette: wish.palette.clone(),
                seeded: abilities(&side.model).seeds,
            }
        };
        Ok(Plan {
            prompt: wish.prompt.clone(),
            project: wish.project.clone(),
            count: wish.count,
            seed: wish.seed.unwrap_or_else(drawn_seed),
            width: wish.size.0,
            height: wish.size.1,
            category: None,
            camera: wish.camera.clone(),
            sides: ["a", "b"].into_iter().zip(&wish.sides).map(side).collect(),
            edit: Some(Edit { of: edit.of.clone(), picture, mask, mask_apart: apart }),
        })
    }

    fn finder<'a>(&'a self, search: &'a ImageSearch, collection: Option<&'a str>, seed: u64) -> Finder<'a> {
        Finder { library: self.library(), search, reader: self.reader(), collection, seed }
    }

    /// The category of tone: the user's, the model's, or the one whose words are nearest.
    async fn category(&self, wish: &Wish, helpers: &Helpers<'_>) -> StudioResult<Option<CategoryChoice>> {
        if let Some(name) = &wish.category {
            return category::named(helpers.categories, name).map(Some);
        }
        if let Some(choice) = &helpers.classified {
            return Ok(Some(choice.clone()));
        }
        let draws = wish.sides.iter().any(|side| side.mode != Mode::Off && side.tone == Choice::Draw);
        match &helpers.text {
            Some(text) if draws => category::nearest(helpers.categories, &wish.prompt, Arc::clone(text)).await,
            _ => Ok(None),
        }
    }
}

/// The choice of a side's references.
struct Choosing<'a> {
    finder: &'a Finder<'a>,
    wish: &'a Wish,
    helpers: &'a Helpers<'a>,
    category: Option<&'a CategoryChoice>,
    camera: &'a [String],
}

impl Choosing<'_> {
    async fn side(&self, name: &str, side: &SideWish, picks: &[Reference]) -> StudioResult<PlannedSide> {
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
            if let Some(reference) = self.one(role, choice, &references, sends).await? {
                room = room.saturating_sub(usize::from(sends));
                references.push(reference);
            }
        }
        let palette = match references.iter().find(|reference| reference.role == Role::Tone && reference.sent.is_none())
        {
            Some(tone) if self.wish.palette.is_empty() => tone.palette.clone(),
            _ => self.wish.palette.clone(),
        };
        let sent: Vec<&Reference> = references.iter().filter(|reference| reference.sent.is_some()).collect();
        let prompt = compose(&Composition {
            subject: &self.wish.prompt,
            images: &sent,
            camera: self.camera,
            palette: &palette,
            size: self.wish.size,
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
                let words = format!("{} {more}", self.wish.prompt.trim());
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
