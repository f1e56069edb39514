use super::Profile;
use super::calls::{CallHead, CallSite};
use super::recorder::{Counts, Recorder};
use super::tests::small_profile;
use taskel_adaptive::recording::CallKind;

const MOST_BYTES: usize = 2_000_000;

/// The page as XML, which all but its script is, and what stands in it.
struct Page(String);

impl Page {
    fn of(profile: &Profile) -> Self {
        let html = profile.to_html();
        assert!(html.len() < MOST_BYTES, "{} bytes", html.len());
        let html = html.strip_prefix("<!DOCTYPE html>").expect("a page of this kind");
        let (before, after) = html.split_once("<script>").expect("a script");
        let (_, after) = after.split_once("</script>").expect("its end");
        assert!(!after.contains("<script"), "a second one");
        Page(format!("{before}{after}"))
    }

    fn document(&self) -> roxmltree::Document<'_> {
        roxmltree::Document::parse(&self.0).unwrap_or_else(|error| panic!("{error}: {}", self.0))
    }

    /// The text of all cells of a table's rows, but for the headings.
    fn rows(&self, id: &str) -> Vec<Vec<String>> {
        let document = self.document();
        let Some(table) = document.descendants().find(|node| node.attribute("id") == Some(id)) else {
            return Vec::new();
        };
        let cells = |row: roxmltree::Node<'_, '_>| -> Vec<String> {
            let cells = row.children().filter(|node| node.has_tag_name("td"));
            cells.map(|cell| cell.text().unwrap_or("").to_owned()).collect()
        };
        table.children().filter(|node| node.has_tag_name("tr")).skip(1).map(cells).collect()
    }

    fn left_out(&self) -> String {
        let document = self.document();
        let list =
            document.descendants().find(|node| node.attribute("id") == Some("left-out")).expect("a list");
        list.descendants().filter(|node| node.is_text()).filter_map(|node| node.text()).collect()
    }

    /// What pointing at the shapes in groups of this class tells.
    fn tips(&self, class: &str) -> Vec<String> {
        let document = self.document();
        let groups = document.descendants().filter(|node| node.attribute("class") == Some(class));
        let titles =
            groups.flat_map(|group| group.descendants()).filter(|node| node.tag_name().name() == "title");
        titles.filter_map(|title| title.text().map(str::to_owned)).collect()
    }
}

fn worker(lane: usize, recorder: Recorder) -> super::WorkerProfile {
    recorder.into_worker(lane, format!("worker {lane}"), Counts::default())
}

/// Calls of a loop at a place, one after the other, each a chunk of eight items.
fn with_loops(sites: &[&'static str]) -> Profile {
    let mut recorder = Recorder::new();
    for (site, id) in sites.iter().zip(1..) {
        let head = CallHead { id, kind: CallKind::Loop, site: CallSite::of_types(site), expected_ns: None };
        assert!(recorder.begin_call());
        recorder.chunk(id * 1000, id * 1000 + 800, 8);
        recorder.part(id, (0, 8), (id * 1000, id * 1000 + 800));
        recorder.end_call(head, id * 1000, id * 1000 + 900);
    }
    let end_ns = 1000 * (sites.len() as u64 + 2);
    Profile::assemble(0, end_ns, 1, vec![worker(0, recorder)])
}

#[test]
fn a_page_has_a_row_for_each_worker_and_a_bar_for_each_chunk() {
    let page = Page::of(&small_profile());
    let workers = page.rows("workers");
    let labels: Vec<&str> = workers.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(labels, ["worker 0", "worker 1", "caller"]);
    assert_eq!(workers[0][1..7], ["85.0 %", "340 µs", "0 ns", "60.0 µs", "0 ns", "7"]);
    assert_eq!(page.tips("bars").len(), 3);
    assert_eq!(page.tips("marks"), ["at 50.0 µs: stole from caller"]);
    assert_eq!(page.left_out().trim(), "Inside of other parallel calls, counted but not drawn: 2 chunks.");
}

#[test]
fn a_loop_has_its_figures_and_its_chunk_sizes() {
    let page = Page::of(&with_loops(&["app::run::{{closure}}", "app::run::{{closure}}"]));
    let rows = page.rows("loops");
    let expected = ["2", "16", "1.60 µs", "100 ns", "100 ns", "2", "2, one worker", "", "app::run"];
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(row[..7], expected[..7]);
    assert_eq!(row[8], expected[8]);
    assert!(page.0.contains("8–15 items: 2 chunks"));
    assert_eq!(page.left_out().trim(), "Nothing.");
}

#[test]
fn the_chart_has_a_dot_for_each_number_of_workers() {
    let page = Page::of(&with_loops(&["app::run"]));
    let dots = page.tips("predictions");
    assert_eq!(dots.len(), 9, "{dots:?}");
    assert!(
        dots[0].starts_with("1 worker: 2.90 µs, 1.00 times") && dots[8].starts_with("256 workers: "),
        "{dots:?}"
    );
    assert!(page.0.contains("workers  predicted  speed-up"));
}

#[test]
fn names_are_escaped() {
    let name = "</script><a&\"'b\">\u{0}]]>";
    let worker = Recorder::new().into_worker(0, name.to_owned(), Counts::default());
    let page = Page::of(&Profile::assemble(0, 10, 1, vec![worker]));
    let expected = "</script><a&\"'b\">\u{fffd}]]>";
    assert_eq!(page.rows("workers")[0][0], expected);
    let page = Page::of(&with_loops(&["</script><img src=x onerror='a()'>"]));
    assert_eq!(page.rows("loops")[0][8], "</script><img src=x onerror='a()'>");
    assert!(!page.0.contains("<img"));
}

#[test]
fn more_places_than_a_table_has_are_counted_and_long_names_cut() {
    let sites: Vec<&'static str> =
        (0..60).map(|i| format!("app::{}::f{i}", "<é".repeat(300)).leak() as &str).collect();
    let page = Page::of(&with_loops(&sites));
    let rows = page.rows("loops");
    assert_eq!(rows.len(), 50);
    assert!(rows.iter().all(|row| row[7].chars().count() <= 201));
    assert!(page.left_out().contains("10 places"), "{}", page.left_out());
}

#[test]
fn nothing_recorded_is_a_page() {
    for profile in [
        Profile::assemble(7, 3, 0, Vec::new()),
        Profile::assemble(0, 10, 1, vec![worker(0, Recorder::new())]),
    ] {
        let page = Page::of(&profile);
        assert!(page.tips("bars").is_empty() && page.0.contains("There was none."));
    }
}

#[test]
fn a_million_chunks_on_twenty_workers_stay_small_and_are_all_accounted_for() {
    let workers = (0..20).map(|lane| busy(lane, 50_000)).collect();
    let page = Page::of(&Profile::assemble(0, 5_000_000, 20, workers));
    let chunks = page.tips("bars").into_iter().map(|told| {
        let number = told.split(": ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a number");
        number.replace(',', "").parse::<u64>().expect("a number")
    });
    assert_eq!(chunks.sum::<u64>(), 1_000_000);
    let left_out = page.left_out();
    assert!(
        left_out.contains("of 1,000,000 chunks, for which") && left_out.contains("of 1,000,000 steals"),
        "{left_out}"
    );
}

#[test]
fn a_thousand_workers_stay_small() {
    let workers = (0..1000).map(|lane| busy(lane, 100)).collect();
    let page = Page::of(&Profile::assemble(0, 10_000, 1000, workers));
    assert_eq!(page.rows("workers").len(), 1000);
    assert!(page.tips("bars").len() >= 1000);
}

fn busy(lane: usize, chunks: u64) -> super::WorkerProfile {
    let mut recorder = Recorder::new();
    for i in 0..chunks {
        recorder.steal(i * 100, lane + 1, false);
        recorder.chunk(i * 100, i * 100 + 80, 1);
    }
    worker(lane, recorder)
}
