//! An estimate of what a drawing costs to draw, made before it is drawn.
//!
//! An element that is used many times is drawn as often, and what it uses in turn multiplies: a few lines can
//! ask for billions of elements. The estimate follows every use, pattern, mask, clip path, filter and marker.

use std::collections::HashMap;

use resvg::usvg::roxmltree::{Document, Node, NodeId};
use resvg::usvg::{Tree, filter};

use super::error::PictureError;

/// The most that a drawing may cost. One is a small shape: about 20 µs.
const MAX_COST: u64 = 250_000;

/// The deepest nesting of groups, uses and patterns.
const MAX_DEPTH: usize = 200;

/// The cost of reading and painting a picture, in small shapes.
const IMAGE: u64 = 1_000;

/// The cost of a separate layer, in small shapes: for a filter, a mask, a clip path or an opacity.
const LAYER: u64 = 50;

/// The most operations for each pixel in a step of a filter.
const MAX_STEP: f32 = 500.0;

/// Elements that are drawn only where something refers to them.
const NOT_DRAWN: [&str; 9] =
    ["defs", "symbol", "pattern", "mask", "clipPath", "filter", "marker", "linearGradient", "radialGradient"];

/// Refuses a drawing that would take too much time or memory.
pub(super) fn check(document: &Document<'_>) -> Result<(), PictureError> {
    let mut estimator = SvgCostEstimator::of(document);
    if estimator.whole(document.root_element(), 0)?.units > MAX_COST {
        let what = "its elements multiply to more than are drawn";
        return Err(PictureError::TooComplex(what.into()));
    }
    Ok(())
}

/// Refuses a filter of which a step asks for too much at this scale.
pub(super) fn check_filters(tree: &Tree, scale: f32) -> Result<(), PictureError> {
    for filter in tree.filters() {
        for step in filter.primitives() {
            let operations = match step.kind() {
                filter::Kind::Morphology(of) => {
                    let side = |radius: f32| (radius * scale * 2.0).max(1.0);
                    side(of.radius_x().get()) * side(of.radius_y().get())
                }
                #[expect(clippy::cast_precision_loss, reason = "an estimate")]
                filter::Kind::ConvolveMatrix(of) => of.matrix().columns() as f32 * of.matrix().rows() as f32,
                #[expect(clippy::cast_precision_loss, reason = "an estimate")]
                filter::Kind::Turbulence(of) => of.num_octaves() as f32 * 20.0,
                _ => 1.0,
            };
            if operations > MAX_STEP {
                return Err(PictureError::TooComplex("a filter asks for too much work".into()));
            }
        }
    }
    Ok(())
}

/// Adds up costs along references. Each element is worked out once, however often it is used: following every use
/// would take as long as drawing.
struct SvgCostEstimator<'a, 'input> {
    by_id: HashMap<&'a str, Node<'a, 'input>>,
    /// Ids that style sheets refer to, by class; under "" those that apply to anything.
    by_class: HashMap<&'a str, Vec<&'a str>>,
    /// The cost of the dearest marker.
    marker: u64,
    /// The costs worked out so far; `None` while one is being worked out, so that a reference to itself adds nothing.
    known: HashMap<NodeId, Option<SvgCost>>,
}

/// The cost of an element in small shapes, and the depth of the nesting below it.
#[derive(Clone, Copy, Default)]
struct SvgCost {
    units: u64,
    height: usize,
}

impl<'a, 'input> SvgCostEstimator<'a, 'input> {
    fn of(document: &'a Document<'input>) -> Self {
        let mut by_id = HashMap::new();
        let mut by_class: HashMap<&str, Vec<&str>> = HashMap::new();
        for node in document.descendants() {
            if let Some(id) = node.attribute("id") {
                by_id.entry(id).or_insert(node);
            }
            if node.tag_name().name() == "style" {
                node.children().filter_map(|child| child.text()).for_each(|sheet| rules(sheet, &mut by_class));
            }
        }
        Self { by_id, by_class, marker: 0, known: HashMap::new() }
    }

    /// The cost of an element with its children and all that it refers to.
    fn whole(&mut self, node: Node<'a, 'input>, depth: usize) -> Result<SvgCost, PictureError> {
        let deep = || PictureError::TooComplex("it is nested too deeply".into());
        if depth > MAX_DEPTH {
            return Err(deep());
        }
        if let Some(known) = self.known.get(&node.id()) {
            let known = known.unwrap_or_default();
            // What was worked out further up may be too deep down here.
            return if depth + known.height > MAX_DEPTH { Err(deep()) } else { Ok(known) };
        }
        self.known.insert(node.id(), None);
        if depth == 0 {
            self.marker = self.dearest_marker(node)?;
        }
        let mut cost = SvgCost { units: self.alone(node), height: 0 };
        let drawn = |child: &Node<'_, '_>| child.is_element() && !NOT_DRAWN.contains(&child.tag_name().name());
        // A gradient is prepared once and costs nothing more.
        let dear = |target: &Node<'_, '_>| !matches!(target.tag_name().name(), "linearGradient" | "radialGradient");
        let references = self.references(node).into_iter().filter(dear);
        for part in node.children().filter(drawn).chain(references) {
            let part = self.whole(part, depth + 1)?;
            cost.units = cost.units.saturating_add(part.units);
            cost.height = cost.height.max(part.height + 1);
        }
        self.known.insert(node.id(), Some(cost));
        Ok(cost)
    }

    /// Markers stand at each corner of a line, and which line has which is inherited: the dearest is counted.
    fn dearest_marker(&mut self, root: Node<'a, 'input>) -> Result<u64, PictureError> {
        let mut dearest = 0;
        for marker in root.descendants().filter(|node| node.tag_name().name() == "marker") {
            dearest = dearest.max(self.whole(marker, 1)?.units);
        }
        // The costs so far were worked out without markers.
        self.known.retain(|_, cost| cost.is_none());
        Ok(dearest)
    }

    /// The cost of an element without its children.
    fn alone(&self, node: Node<'_, '_>) -> u64 {
        let length = |name: &str| node.attribute(name).map_or(0, str::len) as u64;
        let mut cost = 1 + (length("d") + length("points")) / 200;
        match node.tag_name().name() {
            "image" | "feImage" => cost += IMAGE,
            "text" => {
                let text = node.descendants().filter_map(|node| node.text()).map(str::len).sum::<usize>();
                cost += text as u64 / 4;
            }
            "path" | "line" | "polyline" | "polygon" => {
                // A corner takes four characters at least.
                let corners = (length("d") + length("points")) / 4 + 2;
                cost = cost.saturating_add(corners.saturating_mul(self.marker));
            }
            _ => {}
        }
        let style = node.attribute("style").unwrap_or_default();
        let has = |name: &str| node.has_attribute(name) || style.contains(name);
        if has("stroke-dasharray") {
            cost += LAYER;
        }
        if ["filter", "mask", "clip-path", "opacity", "mix-blend-mode"].into_iter().any(has) {
            cost += LAYER;
        }
        cost
    }

    /// The elements of the file that an element refers to.
    fn references(&self, node: Node<'a, 'input>) -> Vec<Node<'a, 'input>> {
        let mut ids = Vec::new();
        for attribute in node.attributes() {
            match attribute.name() {
                "href" => ids.extend(attribute.value().strip_prefix('#')),
                "class" => {
                    let classes = attribute.value().split_ascii_whitespace();
                    ids.extend(classes.filter_map(|class| self.by_class.get(class)).flatten());
                }
                _ => urls(attribute.value(), &mut ids),
            }
        }
        ids.extend(self.by_class.get("").into_iter().flatten());
        ids.iter().filter_map(|id| self.by_id.get(id).copied()).filter(|target| *target != node).collect()
    }
}

/// The ids in `url(#ID)`.
fn urls<'t>(text: &'t str, ids: &mut Vec<&'t str>) {
    for part in text.split("url(").skip(1) {
        let Some((inside, _)) = part.split_once(')') else { continue };
        ids.extend(inside.trim().trim_matches(['"', '\'']).strip_prefix('#'));
    }
}

/// Collects the ids in the rules of a style sheet, by the classes that the rules are for.
fn rules<'t>(sheet: &'t str, by_class: &mut HashMap<&'t str, Vec<&'t str>>) {
    for rule in sheet.split('}') {
        let Some((selectors, declarations)) = rule.rsplit_once('{') else { continue };
        let mut ids = Vec::new();
        urls(declarations, &mut ids);
        if ids.is_empty() {
            continue;
        }
        for selector in selectors.split(',') {
            // The last class stands for the whole selector: the rule may match less, and the estimate be too high.
            let class = selector.rsplit_once('.').map(|(_, class)| class);
            let class =
                class.and_then(|class| class.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_').next());
            by_class.entry(class.unwrap_or_default()).or_default().extend(&ids);
        }
    }
}
