//! What models cost, as one looks it up, and tables of it that users bring.

use std::path::Path;

use atelier_providers::{ModelRef, PriceTable};

use crate::app::App;
use crate::error::{AppError, AppResult, excerpt};
use crate::files::write_over;
use crate::views::{PriceListView, PriceRowView, PricesImportView};

/// How many names are suggested that are like the one that was asked for.
const ALIKE: usize = 5;

impl App {
    /// Takes a file of prices over, in the form of the built-in table or in litellm's: from now on it goes before the
    /// built-in table, in the place of any that was taken over before.
    ///
    /// # Errors
    /// `bad-prices`, `output-unwritable`.
    pub fn import_prices(&self, file: &Path) -> AppResult<PricesImportView> {
        let shown = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|error| {
            AppError::new(code!("bad-prices"), format!("the price table {shown} can't be read: {error}"))
        })?;
        let (compact, models) = PriceTable::compact(&shown, &text)?;
        // The data directory may not be there yet.
        self.store()?;
        write_over(&self.imported_prices(), compact.as_bytes())?;
        Ok(PricesImportView { models })
    }

    /// Forgets the prices that were imported; whether there were any.
    ///
    /// # Errors
    /// `output-unwritable`.
    pub fn forget_prices(&self) -> AppResult<bool> {
        let path = self.imported_prices();
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => {
                let message = format!("{} can't be removed: {error}", path.display());
                Err(AppError::new(code!("output-unwritable"), message).hint("check the disk"))
            }
        }
    }

    /// What a model costs, or all of them.
    ///
    /// # Errors
    /// A name that can't be one; `price-unknown` with names that are like it; what is wrong with a price table.
    pub fn price_list(&self, model: Option<&str>) -> AppResult<PriceListView> {
        let prices = self.prices()?;
        let rows = match model {
            None => prices.models().flat_map(PriceRowView::rows).collect(),
            Some(name) => {
                let reference: ModelRef = name.parse()?;
                let Some(found) = prices.model(&reference) else {
                    let shown = excerpt(name, 80);
                    let error = AppError::new(code!("price-unknown"), format!("what '{shown}' costs is not known"));
                    let wanted = reference.name().to_ascii_lowercase();
                    let alike = prices.models().filter(|one| one.name.to_ascii_lowercase().contains(&wanted));
                    let alike: Vec<String> =
                        alike.take(ALIKE).map(|one| format!("{}:{}", one.provider, one.name)).collect();
                    return Err(if alike.is_empty() {
                        error
                    } else {
                        error.hint(format!("known are {}", alike.join(", ")))
                    });
                };
                PriceRowView::rows(found)
            }
        };
        Ok(PriceListView { day: prices.day().to_string(), prices: rows })
    }
}
