//! A recording as a file.
//!
//! JSON, an object: `taskel_recording` (the version, 1), `workers`, `wall_ns`, `waited` (`of_ns`,
//! `ns`, `preempted_ns` of [`Waited`]), `left_out`, `sites` (names), and `calls`. A call has its
//! `kind`, its `site`, `expected_ns` (a list, empty if unknown), and `parts`. Each part is a list
//! of numbers: first item, number of items, nanoseconds, and then a call and nanoseconds for each
//! call in it.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use nanoserde::{DeJson, SerJson};

use super::{Call, CallKind, Part, Recording, RecordingError, Waited};

const VERSION: u64 = 1;

/// Deeper than what is written, to allow for later versions. The parser recurses at each level.
const MOST_LEVELS: usize = 16;

const KINDS: [(CallKind, &str); 6] = [
    (CallKind::Program, "program"),
    (CallKind::Loop, "loop"),
    (CallKind::Join, "join"),
    (CallKind::Scope, "scope"),
    (CallKind::Task, "task"),
    (CallKind::Beside, "beside"),
];

#[derive(SerJson, DeJson)]
struct File {
    taskel_recording: u64,
    workers: u64,
    wall_ns: u64,
    waited: Vec<u64>,
    left_out: u64,
    sites: Vec<String>,
    calls: Vec<FileCall>,
}

#[derive(SerJson, DeJson)]
struct FileCall {
    kind: String,
    site: u64,
    expected_ns: Vec<f64>,
    parts: Vec<Vec<u64>>,
}

impl Recording {
    /// Returns the recording as JSON, which [`from_json`](Self::from_json) reads. Needs the feature
    /// `record`.
    ///
    /// Each part takes about 20 bytes. A profile of `taskel` keeps up to 65,536 parts per worker.
    ///
    /// ```
    /// use taskel_adaptive::recording::Recording;
    ///
    /// let recording = Recording::of_loop(&[5, 7, 11]);
    /// assert_eq!(Recording::from_json(&recording.to_json())?, recording);
    /// # Ok::<(), taskel_adaptive::recording::RecordingError>(())
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        let calls = self.calls.iter().map(|call| FileCall {
            kind: name_of(call.kind).to_owned(),
            site: call.site as u64,
            expected_ns: call.expected_ns.into_iter().collect(),
            parts: call.parts.iter().map(numbers_of).collect(),
        });
        let file = File {
            taskel_recording: VERSION,
            workers: self.workers as u64,
            wall_ns: self.wall_ns,
            waited: alloc::vec![self.waited.of_ns, self.waited.ns, self.waited.preempted_ns],
            left_out: self.left_out,
            sites: self.sites.clone(),
            calls: calls.collect(),
        };
        file.serialize_json()
    }

    /// Reads what [`to_json`](Self::to_json) wrote. Needs the feature `record`.
    ///
    /// ```
    /// use taskel_adaptive::recording::Recording;
    ///
    /// let error = Recording::from_json("{}").unwrap_err();
    /// assert!(error.to_string().starts_with("expected a recording in JSON"));
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not JSON, is not a recording, has another version, or does
    /// not describe a tree of calls; see [`new`](Self::new).
    pub fn from_json(json: &str) -> Result<Self, RecordingError> {
        if levels(json) > MOST_LEVELS {
            return Err(RecordingError(alloc::format!(
                "expected a recording in JSON of at most {MOST_LEVELS} levels"
            )));
        }
        let file = File::deserialize_json(json)
            .map_err(|error| RecordingError(alloc::format!("expected a recording in JSON: {error}")))?;
        if file.taskel_recording != VERSION {
            let found = file.taskel_recording;
            return Err(RecordingError(alloc::format!(
                "expected a recording of version {VERSION}, found {found}"
            )));
        }
        let &[of_ns, ns, preempted_ns] = &file.waited[..] else {
            return Err(RecordingError("expected three numbers in `waited`".to_owned()));
        };
        let calls = file.calls.into_iter().map(read_call).collect::<Result<_, _>>()?;
        let recording = Recording {
            workers: index(file.workers)?,
            wall_ns: file.wall_ns,
            waited: Waited { of_ns, ns, preempted_ns },
            left_out: file.left_out,
            sites: file.sites,
            calls,
        };
        recording.check()?;
        Ok(recording)
    }
}

fn name_of(kind: CallKind) -> &'static str {
    KINDS.iter().find(|(other, _)| *other == kind).map_or("", |(_, name)| name)
}

fn numbers_of(part: &Part) -> Vec<u64> {
    let mut numbers = alloc::vec![part.first, part.items, part.ns];
    numbers.extend(part.calls.iter().flat_map(|&(call, ns)| [call as u64, ns]));
    numbers
}

fn read_call(call: FileCall) -> Result<Call, RecordingError> {
    let Some(&(kind, _)) = KINDS.iter().find(|(_, name)| *name == call.kind) else {
        return Err(RecordingError(alloc::format!(
            "expected program, loop, join, scope, task or beside, found {:?}",
            call.kind
        )));
    };
    let parts = call.parts.iter().map(|numbers| read_part(numbers)).collect::<Result<_, _>>()?;
    Ok(Call { kind, site: index(call.site)?, expected_ns: call.expected_ns.first().copied(), parts })
}

fn read_part(numbers: &[u64]) -> Result<Part, RecordingError> {
    let (&[first, items, ns], calls) = numbers.split_first_chunk().ok_or_else(odd)?;
    let pairs = calls.chunks(2).map(|pair| match *pair {
        [call, ns] => Ok((index(call)?, ns)),
        _ => Err(odd()),
    });
    Ok(Part { first, items, ns, calls: pairs.collect::<Result<_, _>>()? })
}

fn odd() -> RecordingError {
    RecordingError("expected three numbers of a part, and two for each call in it".to_owned())
}

fn index(number: u64) -> Result<usize, RecordingError> {
    usize::try_from(number).map_err(|_| RecordingError(alloc::format!("expected an index, found {number}")))
}

/// Returns how deep the brackets of a text are nested, which may be JSON.
fn levels(json: &str) -> usize {
    let (mut level, mut most) = (0_usize, 0);
    let mut in_string = false;
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if in_string => _ = bytes.next(),
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => level += 1,
            b']' | b'}' if !in_string => level = level.saturating_sub(1),
            _ => (),
        }
        most = most.max(level);
    }
    most
}
