//! `atelier cost`.

use atelier_app::AppResult;
use atelier_app::views::{CostBy, CostRowView};

use crate::args::{Cost, CostRows};
use crate::context::Context;
use crate::exit::Exit;
use crate::money::{count, thousands};
use crate::out::table;

pub(super) async fn run(context: &Context, command: &Cost) -> AppResult<Exit> {
    let by = match command.by {
        CostRows::Job => CostBy::Job,
        CostRows::Model => CostBy::Model,
        CostRows::Project => CostBy::Project,
        CostRows::Owner => CostBy::Owner,
        CostRows::Day => CostBy::Day,
    };
    let cost = context.app.cost(by, command.from, command.until).await?;
    context.out.result(&cost, || {
        let sandbox = match cost.sandbox_calls {
            0 => String::new(),
            calls => format!("; the sandbox answered {}, for nothing", count(calls, "call")),
        };
        if cost.rows.is_empty() {
            return format!("nothing was spent from {} to {}{sandbox}", cost.from, cost.until);
        }
        let cells: Vec<Vec<String>> = cost.rows.iter().map(cells).collect();
        let headers = [by.name(), "calls", "tokens in", "tokens out", "cost"];
        let total = match cost.total {
            Some(total) => format!("total {total}"),
            None => format!("total unknown, {} of it known", cost.known),
        };
        format!("{}\n{total}{sandbox}", table(&headers, &[false, true, true, true, true], &cells))
    })?;
    Ok(Exit::Success)
}

fn cells(row: &CostRowView) -> Vec<String> {
    let about = if row.estimated { "about " } else { "" };
    let mut cells = vec![row.of.name().to_owned()];
    cells.extend([row.calls, row.input_tokens, row.output_tokens].map(thousands));
    cells.push(row.cost.map_or_else(|| "unknown".to_owned(), |cost| format!("{about}{cost}")));
    cells
}
