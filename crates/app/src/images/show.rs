//! Images that were asked for: shown, exported, liked, noted on, taken into the library.

use std::path::Path;

use atelier_engine::Stop;
use atelier_store::{Cursor, GeneratedFilter, GeneratedImage, GeneratedState, Preference};
use atelier_studio::StudioError;
use atelier_studio::generate::ImageStudio;

use crate::app::App;
use crate::embedders;
use crate::error::AppResult;
use crate::views::{
    GeneratedImageListView, GeneratedImageView, GenerationRunView, GenerationView, LikedCostView, LikedCostsView,
    PromotedView,
};

impl App {
    /// What has come of a generation.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn generation_run(&self, generation: &str) -> AppResult<GenerationRunView> {
        let studio = self.studio()?;
        let images = studio.store().images_of_generation(generation).await?;
        let is = |state| move |image: &&GeneratedImage| image.state == state && !image.is_broken();
        let count = |state| images.iter().filter(is(state)).count() as u64;
        Ok(GenerationRunView {
            generation: generation.to_owned(),
            done: count(GeneratedState::Done),
            blocked: count(GeneratedState::Blocked),
            failed: count(GeneratedState::Failed),
            broken: images.iter().filter(|image| image.is_broken()).count() as u64,
            pending: count(GeneratedState::Pending),
            images: views(&studio, &images).await?,
        })
    }

    /// A generation with its plan and its images.
    ///
    /// # Errors
    /// `no-such-generation`; what the store reports.
    pub async fn generation(&self, id: &str) -> AppResult<GenerationView> {
        let studio = self.studio()?;
        let (generation, plan) = studio.generation(id).await?;
        let images = studio.store().images_of_generation(id).await?;
        let preferences = studio.store().preferences(id).await?;
        Ok(GenerationView::new(generation, plan, views(&studio, &images).await?, preferences))
    }

    /// An image that was asked for, if there is one of this id.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn generated_image(&self, id: &str) -> AppResult<Option<GeneratedImageView>> {
        let studio = self.studio()?;
        let image = studio.store().generated_image(id).await?;
        let Some(image) = image else { return Ok(None) };
        view(&studio, &image).await.map(Some)
    }

    /// An image that was asked for.
    ///
    /// # Errors
    /// `no-such-made-image`; what the store reports.
    pub async fn made_image(&self, id: &str) -> AppResult<GeneratedImageView> {
        let found = self.generated_image(id).await?;
        Ok(found.ok_or_else(|| StudioError::NoSuchGeneratedImage(id.to_owned()))?)
    }

    /// An error if an image is not there, or somebody else's who lets it be looked at.
    ///
    /// # Errors
    /// `no-such-made-image`, `not-yours`; what the store reports.
    pub async fn own_image(&self, id: &str) -> AppResult<()> {
        let image = self.studio()?.image(id).await?;
        self.must_own(&image.owner)
    }

    /// The same of a generation.
    ///
    /// # Errors
    /// `no-such-generation`, `not-yours`; what the store reports.
    pub async fn own_generation(&self, id: &str) -> AppResult<()> {
        let (generation, _) = self.studio()?.generation(id).await?;
        self.must_own(&generation.owner)
    }

    /// Notes which image of a pair is preferred; none if neither is.
    ///
    /// # Errors
    /// `no-such-generation`, `no-such-made-image` if there is no such pair; what the store reports.
    pub async fn prefer(&self, generation: &str, preference: &Preference) -> AppResult<()> {
        let studio = self.studio()?;
        studio.generation(generation).await?;
        let images = studio.store().images_of_generation(generation).await?;
        let side = preference.side.as_deref();
        let there =
            |image: &GeneratedImage| image.place == preference.place && side.is_none_or(|side| image.side == side);
        if !images.iter().any(there) {
            let pair = format!("{generation}, place {}", preference.place);
            return Err(StudioError::NoSuchGeneratedImage(pair).into());
        }
        Ok(studio.store().prefer(generation, preference, self.clock().now()).await?)
    }

    /// What images cost by model, and what that is for each that is liked.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn liked_costs(&self) -> AppResult<LikedCostsView> {
        let models = self.store()?.liked_costs().await?;
        Ok(LikedCostsView { models: models.into_iter().map(LikedCostView::from).collect() })
    }

    /// Lets others look at a generation, or no more.
    ///
    /// # Errors
    /// `no-such-generation`, `not-yours`; what the store reports.
    pub async fn share_generation(&self, id: &str, shared: bool) -> AppResult<()> {
        self.own_generation(id).await?;
        self.store()?.share_generation(id, shared).await?;
        Ok(())
    }

    /// A page of the images that were asked for, the newest first.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn generated_images(
        &self,
        filter: &GeneratedFilter,
        after: Option<&Cursor>,
        limit: usize,
    ) -> AppResult<GeneratedImageListView> {
        let studio = self.studio()?;
        let images = studio.store().generated_images(filter, after, limit).await?;
        let next = images.last().filter(|_| images.len() == limit).map(|image| image.cursor().to_string());
        Ok(GeneratedImageListView { images: views(&studio, &images).await?, next })
    }

    /// Writes images to a ZIP file, what is known of each beside it; how many. All that pass the filter, or those that
    /// are named.
    ///
    /// # Errors
    /// `export-exists`; what the store and the objects report.
    pub async fn export_images(&self, filter: &GeneratedFilter, ids: &[String], to: &Path) -> AppResult<u64> {
        let described = |image: &GeneratedImage, name: &str| {
            let view = GeneratedImageView::new(image, image.state.name(), Some(name));
            serde_json::to_vec(&view).unwrap_or_default()
        };
        Ok(self.studio()?.export(filter, ids, to, &described).await?)
    }

    /// Likes images, or no more. Nothing changes if one of them does not exist.
    ///
    /// # Errors
    /// `no-such-generated-image`; what the store reports.
    pub async fn like_images(&self, ids: &[String], liked: bool) -> AppResult<()> {
        let studio = self.studio()?;
        for id in ids {
            studio.image(id).await?;
        }
        for id in ids {
            studio.store().like_generated(id, liked).await?;
        }
        Ok(())
    }

    /// Notes something on an image, or takes the note away.
    ///
    /// # Errors
    /// `no-such-generated-image`; what the store reports.
    pub async fn note_image(&self, id: &str, note: Option<&str>) -> AppResult<()> {
        if self.store()?.note_generated(id, note).await? {
            return Ok(());
        }
        Err(StudioError::NoSuchGeneratedImage(id.to_owned()).into())
    }

    /// Takes images into the library. Nothing is taken if one of them does not exist.
    ///
    /// # Errors
    /// `no-such-generated-image`; what the import and the search report.
    pub async fn promote_images(&self, ids: &[String], collections: &[String]) -> AppResult<Vec<PromotedView>> {
        let studio = self.studio()?;
        let mut images = Vec::with_capacity(ids.len());
        for id in ids {
            images.push(studio.image(id).await?);
        }
        let embedders = embedders::of_images(self, &Stop::never()).await?;
        let search = self.image_search().await?;
        let mut promoted = Vec::with_capacity(images.len());
        for image in images {
            let library_image = studio.promote(&image, collections, embedders.clone(), &search).await?;
            promoted.push(PromotedView { image: image.id, library_image });
        }
        Ok(promoted)
    }
}

async fn view(studio: &ImageStudio, image: &GeneratedImage) -> AppResult<GeneratedImageView> {
    Ok(GeneratedImageView::new(image, studio.standing(image).await?, None))
}

async fn views(studio: &ImageStudio, images: &[GeneratedImage]) -> AppResult<Vec<GeneratedImageView>> {
    let mut shown = Vec::with_capacity(images.len());
    for image in images {
        shown.push(view(studio, image).await?);
    }
    Ok(shown)
}
