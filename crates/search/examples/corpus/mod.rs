//! A library made from templates: captions, tags, queries whose right answers are known by construction, and
//! queries that have none.

// Each example uses a part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;

use atelier_search::Document;
use atelier_search::evaluate::Judged;

/// A thing that captions name, how queries may call it otherwise, and what it is called in Korean.
pub(crate) type Thing = (&'static str, &'static str, &'static str);

pub(crate) const SUBJECTS: [Thing; 40] = [
    ("dog", "puppy", "강아지"),
    ("cat", "kitten", "고양이"),
    ("bicycle", "bike", "자전거"),
    ("car", "automobile", "자동차"),
    ("sailing boat", "yacht", "요트"),
    ("child", "kid", "어린이"),
    ("old man", "grandfather", "할아버지"),
    ("woman", "lady", "여성"),
    ("coffee cup", "mug of espresso", "커피잔"),
    ("laptop", "notebook computer", "노트북"),
    ("horse", "stallion", "말"),
    ("guitar", "acoustic instrument with strings", "기타"),
    ("bouquet of flowers", "bunch of roses", "꽃다발"),
    ("running shoe", "sneaker", "운동화"),
    ("wristwatch", "timepiece", "손목시계"),
    ("perfume bottle", "fragrance flask", "향수병"),
    ("backpack", "rucksack", "배낭"),
    ("umbrella", "parasol", "우산"),
    ("train", "railway locomotive", "기차"),
    ("aeroplane", "jet aircraft", "비행기"),
    ("pizza", "margherita slice", "피자"),
    ("bowl of soup", "hot broth", "수프"),
    ("chef", "cook", "요리사"),
    ("dancer", "ballerina", "무용수"),
    ("surfer", "wave rider", "서퍼"),
    ("cyclist", "rider on two wheels", "사이클 선수"),
    ("owl", "night bird of prey", "부엉이"),
    ("fox", "red furry wild animal", "여우"),
    ("sofa", "couch", "소파"),
    ("lamp", "light fixture", "램프"),
    ("book", "novel", "책"),
    ("camera", "photographic equipment", "카메라"),
    ("skateboard", "longboard", "스케이트보드"),
    ("tent", "camping shelter", "텐트"),
    ("bridge", "viaduct", "다리"),
    ("lighthouse", "beacon tower", "등대"),
    ("waterfall", "cascade", "폭포"),
    ("glass of wine", "merlot in a goblet", "와인잔"),
    ("bread", "sourdough loaf", "빵"),
    ("teacher", "school instructor", "선생님"),
];

pub(crate) const PLACES: [Thing; 30] = [
    ("on a beach", "at the seaside", "해변"),
    ("in a forest", "in the woods", "숲"),
    ("in a city street", "on an urban road", "도시 거리"),
    ("in a kitchen", "where meals are cooked", "부엌"),
    ("in an office", "at the workplace", "사무실"),
    ("on a mountain", "on an alpine peak", "산"),
    ("in a desert", "among sand dunes", "사막"),
    ("by a lake", "at the edge of calm water", "호수"),
    ("in a garden", "in a backyard with plants", "정원"),
    ("on a rooftop", "on top of a building", "옥상"),
    ("in a studio", "before a plain backdrop", "스튜디오"),
    ("in a library", "between bookshelves", "도서관"),
    ("in a market", "among food stalls", "시장"),
    ("at a harbour", "at the docks", "항구"),
    ("in a stadium", "in a sports arena", "경기장"),
    ("in a museum", "at an art gallery", "박물관"),
    ("in a park", "on a public lawn", "공원"),
    ("at a railway station", "on a train platform", "기차역"),
    ("in a hotel lobby", "at a hotel reception", "호텔 로비"),
    ("in a bedroom", "where one sleeps", "침실"),
    ("in a workshop", "at a craftsman's bench", "작업장"),
    ("in a vineyard", "between rows of grapes", "포도밭"),
    ("on a farm", "on agricultural land", "농장"),
    ("in a cave", "in an underground cavern", "동굴"),
    ("on a bridge", "above a river crossing", "교량"),
    ("in a cafe", "in a coffee house", "카페"),
    ("in a classroom", "at school", "교실"),
    ("in a gym", "in a fitness club", "체육관"),
    ("in a swimming pool", "in blue chlorinated water", "수영장"),
    ("in a snow field", "on white winter ground", "설원"),
];

pub(crate) const TIMES: [(&str, &str); 8] = [
    ("at sunset", "in the last light of the day"),
    ("at night", "after dark"),
    ("at dawn", "early in the morning"),
    ("in the rain", "in wet weather"),
    ("in fog", "in the mist"),
    ("at noon", "under a high sun"),
    ("in autumn", "with fallen leaves"),
    ("in spring", "in blossom time"),
];

const COLORS: [(&str, [u8; 3]); 10] = [
    ("red", [200, 30, 35]),
    ("blue", [30, 70, 190]),
    ("green", [40, 140, 60]),
    ("yellow", [235, 205, 40]),
    ("white", [240, 240, 240]),
    ("black", [20, 20, 20]),
    ("orange", [240, 130, 30]),
    ("purple", [120, 50, 150]),
    ("grey", [128, 128, 128]),
    ("pink", [240, 150, 180]),
];

const DOINGS: [&str; 10] = [
    "seen from above",
    "in the foreground",
    "close up",
    "out of focus behind glass",
    "in a wide shot",
    "in motion",
    "seen from behind",
    "centred",
    "in soft light",
    "from a low angle",
];

/// Names that mean nothing to a language model, as those of clients are.
const SYLLABLES: [&str; 16] =
    ["nor", "vik", "hal", "cy", "bre", "dun", "tol", "mar", "quen", "zi", "lo", "fex", "ar", "bo", "sel", "kur"];

/// What one image shows.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) subject: usize,
    pub(crate) place: usize,
    pub(crate) time: usize,
    pub(crate) client: usize,
    color: usize,
    doing: usize,
    korean: bool,
}

impl Scene {
    /// The scene with this number; always the same.
    pub(crate) fn number(number: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xa7e1);
        Self {
            subject: random.usize(..SUBJECTS.len()),
            place: random.usize(..PLACES.len()),
            time: random.usize(..TIMES.len()),
            client: random.usize(..200),
            color: random.usize(..COLORS.len()),
            doing: random.usize(..DOINGS.len()),
            korean: random.usize(..4) == 0,
        }
    }

    pub(crate) fn caption(&self) -> String {
        let (subject, place, time) = (SUBJECTS[self.subject].0, PLACES[self.place].0, TIMES[self.time].0);
        format!("A {} {subject} {place} {time}, {}", COLORS[self.color].0, DOINGS[self.doing])
    }

    /// What the text embedder is given, as the studio gives it.
    pub(crate) fn embedded(&self) -> String {
        format!("{}. {}", self.caption(), self.tags().join(", "))
    }

    pub(crate) fn tags(&self) -> Vec<String> {
        let mut tags = vec![SUBJECTS[self.subject].0.to_owned(), client(self.client)];
        if self.korean {
            tags.push(format!("{} {}", SUBJECTS[self.subject].2, PLACES[self.place].2));
        }
        tags
    }

    /// The document, without vectors.
    pub(crate) fn document(&self, number: u64) -> Document {
        let [r, g, b] = COLORS[self.color].1;
        Document {
            id: format!("img-{number}"),
            filename: format!("{}_{number:07}.jpg", client(self.client)),
            caption: self.caption(),
            tags: self.tags(),
            category: Some(["people", "animals", "objects", "food"][self.subject % 4].to_owned()),
            attributes: BTreeMap::from([("lens".to_owned(), format!("{} mm", 20 + number % 30 * 5))]),
            width: 1000 + (number % 7) as u32 * 300,
            height: 1600,
            palette: vec![[r, g, b], [r / 2, g / 2, b / 2], [200, 200, 190], [60, 60, 70]],
            taken_or_added_at: number as i64,
            uploader: Some(format!("user{}", number % 20)),
            collections: vec![format!("c{}", number % 50)],
            ..Document::default()
        }
    }

    /// What a classifier of pictures would say: its labels with their probabilities.
    pub(crate) fn labels(&self) -> Vec<(&'static str, f32)> {
        let other = SUBJECTS[(self.subject + self.place + self.doing) % SUBJECTS.len()].0;
        vec![(SUBJECTS[self.subject].0, 0.6), (PLACES[self.place].0, 0.2), (TIMES[self.time].0, 0.1), (other, 0.1)]
    }
}

/// A client's name.
pub(crate) fn client(number: usize) -> String {
    let [a, b, c] = [number % 16, (number / 16 + 3) % 16, (number * 7 + 5) % 16];
    format!("{}{}{}", SYLLABLES[a], SYLLABLES[b], SYLLABLES[c])
}

/// Queries of five kinds, so many of each, with their answers among the first `images` scenes. Other seeds
/// give other queries.
pub(crate) fn judged(images: u64, of_each: usize, seed: u64) -> Vec<(&'static str, Judged)> {
    let mut random = fastrand::Rng::with_seed(seed);
    let scenes: Vec<Scene> = (0..images).map(Scene::number).collect();
    let mut queries = Vec::new();
    for kind in ["literal", "paraphrase", "name", "typo", "korean"] {
        let mut made = 0;
        while made < of_each {
            let like = &scenes[random.usize(..scenes.len())];
            let (subject, place, time) = (SUBJECTS[like.subject], PLACES[like.place], TIMES[like.time]);
            let query = match kind {
                "literal" => format!("{} {} {}", subject.0, place.0, time.0),
                "paraphrase" => format!("{} {} {}", subject.1, place.1, time.1),
                "name" => format!("{} {}", client(like.client), subject.0),
                "typo" => format!("{} {}", misspelt(subject.0, &mut random), place.0),
                _ => format!("{} {}", subject.2, place.2),
            };
            let grade = |scene: &Scene| {
                let (same_place, same_time) = (scene.place == like.place, scene.time == like.time);
                match kind {
                    _ if scene.subject != like.subject => 0.0,
                    "name" => f64::from(u8::from(scene.client == like.client)),
                    "literal" | "paraphrase" if same_place && same_time => 2.0,
                    "korean" => f64::from(u8::from(same_place && scene.korean)),
                    _ => f64::from(u8::from(same_place)),
                }
            };
            let graded = scenes.iter().zip(0..).map(|(scene, number)| (format!("img-{number}"), grade(scene)));
            let relevant: BTreeMap<String, f64> = graded.filter(|(_, grade)| *grade > 0.0).collect();
            if !relevant.is_empty() {
                queries.push((kind, Judged { query, relevant }));
                made += 1;
            }
        }
    }
    queries
}

/// A word with a slip in it, where it is long enough.
fn misspelt(words: &str, random: &mut fastrand::Rng) -> String {
    let slip = |word: &str, random: &mut fastrand::Rng| {
        let mut letters: Vec<char> = word.chars().collect();
        if letters.len() >= 5 {
            let place = random.usize(1..letters.len() - 1);
            match random.u8(..3) {
                0 => letters.swap(place, place + 1),
                1 => drop(letters.remove(place)),
                _ => letters.insert(place, 'x'),
            }
        }
        letters.into_iter().collect::<String>()
    };
    words.split(' ').map(|word| slip(word, random)).collect::<Vec<_>>().join(" ")
}

/// Topics that no scene has. The halves are for fitting and for measuring.
const ABSENT: [&str; 80] = [
    "quarterly tax return",
    "mitochondria under a microscope",
    "chess grandmaster",
    "nuclear reactor",
    "dinosaur skeleton",
    "wedding ceremony",
    "open heart surgery",
    "polar bear",
    "medieval knight armour",
    "space shuttle launch",
    "stock exchange chart",
    "tattoo on an arm",
    "elephant herd",
    "newborn baby in hospital",
    "boxing match",
    "satellite dish",
    "volcano eruption",
    "judge in a courtroom",
    "circuit board",
    "penguin colony",
    "dentist chair",
    "hot air balloon",
    "submarine",
    "soldier on parade",
    "beehive with honey",
    "x-ray of a lung",
    "helicopter rescue",
    "sushi plate",
    "kangaroo",
    "wind turbine",
    "president giving a speech",
    "golf tournament",
    "tractor ploughing",
    "oil refinery",
    "jellyfish",
    "roulette table",
    "whale breaching",
    "fire engine",
    "ancient pyramid",
    "protein folding",
    "hieroglyphs",
    "solar eclipse",
    "ice hockey goalkeeper",
    "vaccine syringe",
    "crocodile",
    "stained glass saint",
    "hydroelectric dam",
    "barber with a razor",
    "sumo wrestler",
    "tax accountant with receipts",
    "spider web",
    "astronaut on the moon",
    "rhinoceros",
    "data centre servers",
    "parliament vote",
    "passport control",
    "wool knitting pattern",
    "bullfighter",
    "coral reef",
    "carnival mask",
    "blood cells",
    "drone delivery",
    "cricket batsman",
    "oil painting of a queen",
    "snake charmer",
    "traffic accident",
    "haunted mansion",
    "scorpion",
    "credit card fraud",
    "monk in a monastery",
    "tornado",
    "prison cell",
    "fashion runway",
    "cactus",
    "gold bars in a vault",
    "robot arm welding",
    "zebra crossing a river",
    "parrot",
    "kidney stone",
    "archery target",
];

/// So many queries that have no answer: one half letters without meaning, the other half topics that no scene
/// has. Halves of odd and even seeds share no topic.
pub(crate) fn absent(count: usize, seed: u64) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let topics: Vec<&str> = ABSENT.iter().skip(seed as usize % 2).step_by(2).copied().collect();
    let mut queries = Vec::with_capacity(count);
    while queries.len() < count {
        let topic = topics[random.usize(..topics.len())];
        queries.push(match random.u8(..6) {
            0..=2 => (0..random.usize(1..4)).map(|_| letters(&mut random)).collect::<Vec<_>>().join(" "),
            3 => topic.to_owned(),
            4 => format!("a photo of a {topic}"),
            _ => format!("{topic} {}", ["in detail", "for a brochure", "as an illustration"][random.usize(..3)]),
        });
    }
    queries
}

fn letters(random: &mut fastrand::Rng) -> String {
    (0..random.usize(4..10)).map(|_| random.lowercase()).collect()
}
