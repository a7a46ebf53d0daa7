//! What people think of images: which of two they prefer, and what a liked one costs.

use atelier_engine::{Timestamp, Usd};

use crate::database::Statement;
use crate::error::StoreResult;
use crate::journal::rows;
use crate::store::{Store, never};

/// Which side of a pair somebody prefers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preference {
    /// The pair: the images of this place on either side.
    pub place: u32,
    /// The side that is preferred; none if neither is.
    pub side: Option<String>,
    /// Whether the sides were hidden until then.
    pub blind: bool,
}

/// What the images of a model cost, and how many of them are liked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LikedCost {
    /// The model.
    pub model: String,
    /// Images that were made.
    pub images: u64,
    /// Those that are liked.
    pub liked: u64,
    /// What they cost; `None` if that is not known of all.
    pub cost: Option<Usd>,
}

impl Store {
    /// Notes which side of a pair this store's owner prefers, in the place of what they preferred before.
    pub async fn prefer(&self, generation: &str, preference: &Preference, now: Timestamp) -> StoreResult<()> {
        let upsert = Statement::new(
            "INSERT INTO preferences (generation, place, user_id, side, blind, at) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (generation, place, user_id) DO UPDATE SET side = $4, blind = $5, at = $6",
        )
        .bind(generation)
        .bind(preference.place)
        .bind(self.owner())
        .bind(preference.side.as_deref())
        .bind(preference.blind)
        .bind(now);
        self.apply(vec![upsert], never).await.map(|_| ())
    }

    /// What this store's owner prefers of a generation, by place.
    pub async fn preferences(&self, generation: &str) -> StoreResult<Vec<Preference>> {
        let query = Statement::new(
            "SELECT place, side, blind FROM preferences WHERE generation = $1 AND user_id = $2 ORDER BY place",
        );
        rows(self.query(query.bind(generation).bind(self.owner())).await?, |row| {
            let mut columns = row.columns();
            let place = u32::try_from(columns.count()?).unwrap_or(u32::MAX);
            Ok(Preference { place, side: columns.optional_text()?, blind: columns.flag()? })
        })
    }

    /// What images cost by model, and how many of them are liked. The sandbox's cost nothing, and are left out.
    pub async fn liked_costs(&self) -> StoreResult<Vec<LikedCost>> {
        let mut query = Statement::new("");
        let hiding = self.hiding("g.owner = ?", &mut query.values);
        query.sql = format!(
            "SELECT m.model, count(*), CAST(sum(m.liked) AS BIGINT), CAST(sum(coalesce(m.cost, 0)) AS BIGINT), \
             CAST(sum(CASE WHEN m.cost IS NULL THEN 1 ELSE 0 END) AS BIGINT) \
             FROM made_images m JOIN generations g ON g.id = m.generation \
             WHERE m.state = 'done' AND m.model <> 'sandbox' AND m.model NOT LIKE 'sandbox:%'{hiding} \
             GROUP BY m.model ORDER BY m.model"
        )
        .into();
        rows(self.query(query).await?, |row| {
            let mut columns = row.columns();
            let (model, images, liked) = (columns.text()?, columns.count()?, columns.count()?);
            let (cost, unknown) = (columns.usd()?, columns.count()?);
            Ok(LikedCost { model, images, liked, cost: (unknown == 0).then_some(cost) })
        })
    }
}
