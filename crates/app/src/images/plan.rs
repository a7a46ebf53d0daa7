//! From a request to a plan: references chosen and prompts composed, and nothing sent.

use std::path::Path;

use std::sync::Arc;

use atelier_engine::{Item, Job, Stop, Usd};
use atelier_providers::ModelRef;
use atelier_studio::generate::{
    Category, CategoryChoice, EditRequest, GenerationRequest, Helpers, ImageStudio, Pick, Plan, categories,
};
use atelier_studio::search::ImageSearch;
use bytes::Bytes;

use super::{Classify, KeptPlan};
use crate::app::App;
use crate::embedders;
use crate::error::{AppError, AppResult, excerpt};
use crate::library::picture_file;
use crate::pools::{Intent, Pools};
use crate::run::{RunChange, RunSettings};
use crate::views::{ImagesForecastView, SideForecastView};

/// Who makes images where neither the user nor the configuration says so.
const DEFAULT_MODEL: &str = "gemini:gemini-3.1-flash-image";
/// Who chooses a category where neither the user nor the configuration says so.
const DEFAULT_CLASSIFIER: &str = "gemini:gemini-3.5-flash-lite";

/// A picture, and what it is called.
#[derive(Clone, Debug)]
pub struct NamedPicture {
    /// Its id, or its file's name.
    pub name: String,
    /// Its file.
    pub content: Bytes,
}

impl App {
    /// The model that makes images: what was said, else what the configuration says.
    ///
    /// # Errors
    /// If it can't be one.
    pub fn image_model(&self, said: Option<&str>) -> AppResult<String> {
        let model = said.map(str::to_owned).or_else(|| self.config().images.model.clone());
        let model = model.unwrap_or_else(|| DEFAULT_MODEL.to_owned());
        // Better known before anything is planned.
        model.parse::<ModelRef>()?;
        Ok(model)
    }

    /// An image of the library by its id, or else a file.
    ///
    /// # Errors
    /// `no-such-reference`, `source-unreadable`; what the store reports.
    pub async fn pick(&self, text: &str) -> AppResult<Pick> {
        if self.store()?.image(text).await?.is_some() {
            return Ok(Pick::Image(text.to_owned()));
        }
        let path = Path::new(text);
        if !path.is_file() {
            let shown = excerpt(text, 80);
            let message = format!("'{shown}' is neither an image of the library nor a file");
            return Err(AppError::new(code!("no-such-reference"), message).hint("list the library to see its images"));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Pick::File { name, content: picture_file(path)? })
    }

    /// A picture of one's own choice: an image of the library, one that was made, or an upload; exactly one of them.
    ///
    /// # Errors
    /// `no-such-reference` if none or several are named, `no-such-image`, `no-such-made-image`, `no-such-upload`; what the
    /// store and the objects report.
    pub async fn pick_of(&self, image: Option<&str>, made: Option<&str>, upload: Option<&str>) -> AppResult<Pick> {
        if let (Some(image), None, None) = (image, made, upload) {
            self.image(image).await?;
            return Ok(Pick::Image(image.to_owned()));
        }
        let NamedPicture { name, content } = self.picture_of(image, made, upload).await?;
        Ok(Pick::File { name, content })
    }

    /// The same with its content.
    ///
    /// # Errors
    /// As [`App::pick_of`].
    pub async fn picture_of(
        &self,
        image: Option<&str>,
        made: Option<&str>,
        upload: Option<&str>,
    ) -> AppResult<NamedPicture> {
        match (image, made, upload) {
            (Some(id), None, None) => {
                let library = self.library()?;
                let image = library.show(id).await?;
                let content = library.original(&image).await?;
                Ok(NamedPicture { name: image.id, content })
            }
            (None, Some(id), None) => {
                let studio = self.studio()?;
                let (_, content) = studio.file(&studio.image(id).await?).await?;
                Ok(NamedPicture { name: id.to_owned(), content })
            }
            (None, None, Some(id)) => {
                let (upload, content) = self.upload_content(id).await?;
                Ok(NamedPicture { name: upload.name, content })
            }
            _ => {
                let message = "a picture is an image of the library, one that was made, or an upload: name one of them";
                Err(AppError::new(code!("no-such-reference"), message))
            }
        }
    }

    /// The picture that is to be edited: an image that was made, by its id, with that id; one of the library, or a file.
    ///
    /// # Errors
    /// As [`App::pick`].
    pub async fn picture_to_edit(&self, text: &str) -> AppResult<(Option<String>, Bytes)> {
        let studio = self.studio()?;
        if let Some(image) = studio.store().generated_image(text).await? {
            let (_, content) = studio.file(&image).await?;
            return Ok((Some(image.id), content));
        }
        match self.pick(text).await? {
            Pick::Image(id) => {
                let image = studio.library().show(&id).await?;
                Ok((None, studio.library().original(&image).await?))
            }
            Pick::File { content, .. } => Ok((None, content)),
        }
    }

    /// Plans what would be sent, references chosen and prompts composed, and keeps that. Only `classify` may cost
    /// something, under the limits and the budget of `run`.
    ///
    /// # Errors
    /// What is wrong with the request; `no-such-collection`; `not-classified`; what the store and the search report.
    pub async fn plan_images(
        &self,
        request: &GenerationRequest,
        classify: &Classify,
        run: &RunChange,
    ) -> AppResult<KeptPlan> {
        let (plan, spent) = self.planned(request, classify, run).await?;
        Ok(KeptPlan { id: self.studio()?.keep_plan(&plan).await?, plan, spent })
    }

    /// What would be sent, which is not kept, and what that would take: quick enough to follow typing.
    ///
    /// # Errors
    /// As [`App::plan_images`] and [`App::forecast_images`].
    pub async fn preview_images(&self, request: &GenerationRequest) -> AppResult<(Plan, ImagesForecastView)> {
        let (plan, _) = self.planned(request, &Classify::No, &RunChange::default()).await?;
        let forecast = self.forecast_images(&plan, &RunChange::default()).await?;
        Ok((plan, forecast))
    }

    async fn planned(
        &self,
        request: &GenerationRequest,
        classify: &Classify,
        run: &RunChange,
    ) -> AppResult<(Plan, Usd)> {
        let studio = self.studio()?;
        for side in &request.sides {
            side.model.parse::<ModelRef>()?;
        }
        request.check()?;
        self.check_collections(request.collection.as_slice()).await?;
        let embedders = embedders::of_images(self, &Stop::never()).await?;
        let search = self.image_search().await?;
        search.catch_up(|_| {}).await?;
        let own = self.config().images.categories.iter();
        let own: Vec<Category> =
            own.map(|(name, words)| Category { name: name.clone(), words: words.clone() }).collect();
        let categories = categories(&own);
        let (classified, spent) = self.classified(&request.prompt, &categories, classify, run).await?;
        let helpers = Helpers { search: &search, categories: &categories, text: embedders.text, classified };
        Ok((studio.plan(request, &helpers).await?, spent))
    }

    async fn classified(
        &self,
        prompt: &str,
        categories: &[Category],
        classify: &Classify,
        run: &RunChange,
    ) -> AppResult<(Option<CategoryChoice>, Usd)> {
        let model = match classify {
            Classify::No => return Ok((None, Usd::ZERO)),
            Classify::Usual => self.config().model.clone().unwrap_or_else(|| DEFAULT_CLASSIFIER.to_owned()),
            Classify::By(model) => model.clone(),
        };
        let (choice, spent) =
            self.classify(prompt, categories, &RunSettings { price: None, ..RunSettings::new(&model, run) }).await?;
        Ok((Some(choice), spent))
    }

    /// What the images of a plan would take, by what the ledger says now. No key is needed, and nothing is sent.
    ///
    /// # Errors
    /// What is wrong with the models or their limits; what the engine reports.
    pub async fn forecast_images(&self, plan: &Plan, said: &RunChange) -> AppResult<ImagesForecastView> {
        let mut sides = Vec::with_capacity(plan.sides.len());
        let mut sandbox = true;
        let first = plan.sides.first().map_or("", |side| &side.model);
        for side in &plan.sides {
            let run = RunSettings::new(first, said).by(&side.model);
            let pools = Pools::open_to(Intent::Forecast, self, &run).await?;
            sandbox &= pools.is_sandbox();
            let (task, items) = ImageStudio::sample(plan, side)?;
            let job = Job {
                id: "forecast".into(),
                task: Arc::new(task),
                pools: pools.cold(),
                items: items.len() as u64,
                options: run.options(0, Usd::ZERO),
            };
            let forecast = self.engine()?.forecast(&job, &items).await?;
            // Sides of one model share its limits: they are done together.
            let of_model = plan.sides.iter().filter(|other| other.model == side.model).count();
            let takes = if of_model == 1 {
                forecast.takes
            } else {
                let all: Vec<Item> = std::iter::repeat_n(&items, of_model).flatten().cloned().collect();
                let all_of_them = Job { items: all.len() as u64, ..job };
                self.engine()?.forecast(&all_of_them, &all).await?.takes
            };
            sides.push(SideForecastView {
                side: side.name.clone(),
                model: side.model.clone(),
                images: items.len() as u64,
                cost_usd: forecast.cost.map(Usd::as_dollars),
                worst_cost_usd: forecast.worst_cost.map(Usd::as_dollars),
                seconds: takes.map(|takes| takes.as_secs_f64()),
            });
        }
        let sum = |of: fn(&SideForecastView) -> Option<f64>| sides.iter().map(of).sum::<Option<f64>>();
        Ok(ImagesForecastView {
            images: sides.iter().map(|side| side.images).sum(),
            cost_usd: sum(|side| side.cost_usd),
            worst_cost_usd: sum(|side| side.worst_cost_usd),
            // Both are made at once.
            seconds: sides.iter().map(|side| side.seconds).try_fold(0.0, |most: f64, one| Some(most.max(one?))),
            sides,
            sandbox,
        })
    }

    /// Plans an edit, and keeps that. Nothing is sent.
    ///
    /// # Errors
    /// What is wrong with the request, the picture or the mask; what the store reports.
    pub async fn plan_edit(&self, request: &GenerationRequest, edit: &EditRequest) -> AppResult<KeptPlan> {
        let studio = self.studio()?;
        let search = ImageSearch::new(studio.library().clone(), Default::default());
        let helpers = Helpers { search: &search, categories: &[], text: None, classified: None };
        let plan = studio.plan_edit(request, edit, &helpers).await?;
        Ok(KeptPlan { id: studio.keep_plan(&plan).await?, plan, spent: Usd::ZERO })
    }
}
