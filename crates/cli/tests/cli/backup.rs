//! `atelier backup`.

use crate::world::{World, texts};

#[test]
fn a_backup_is_a_database_to_go_on_with() {
    let world = World::with_posts(&texts(3));
    world.ok(&World::generate("--model sandbox"));
    world.ok("backup copy.db");
    world.ok("projects remove brand");

    std::fs::create_dir(world.path("restored")).unwrap();
    std::fs::copy(world.path("copy.db"), world.path("restored/atelier.db")).unwrap();
    std::fs::remove_dir_all(world.data()).unwrap();
    std::fs::rename(world.path("restored"), world.data()).unwrap();
    world.assert_drafted(3);
    assert_eq!(world.ok(&World::generate("--model sandbox --json")).json()["calls"], 0);
}

#[test]
fn a_backup_overwrites_nothing() {
    let world = World::with_posts(&texts(1));
    world.write("copy.db", "precious");
    world.run("backup copy.db").expect_code(2).says(&["copy.db exists already", "hint: "]);
    assert_eq!(std::fs::read_to_string(world.path("copy.db")).unwrap(), "precious");
}

#[test]
fn a_backup_to_nowhere_is_told() {
    let world = World::with_posts(&texts(1));
    world.run("backup missing/copy.db").expect_code(4).says(&["missing", "hint: "]);
}
