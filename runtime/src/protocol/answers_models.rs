//! Models of answers: each question is asked once, and all lanes see the same answer.

use std::sync::Arc;

use super::answers::Answers;
use super::model::explore;

/// Asks about all items; the answer is true for the odd ones. Returns how many this lane had to ask
/// about.
fn ask_all(answers: &Answers) -> usize {
    let ask = |index: usize| match answers.begin(index) {
        Ok(()) => {
            answers.end(index, Some(index % 2 == 1));
            1
        }
        Err(None) => 0,
        Err(Some(answer)) => {
            assert_eq!(answer, index % 2 == 1);
            0
        }
    };
    (0..2).map(ask).sum()
}

/// Catches an item that both lanes ask about, or neither; and a wrong or missing answer.
#[test]
fn model_each_item_is_asked_about_once() {
    explore(|| {
        let answers = Arc::new(Answers::new(2));
        let other = Arc::clone(&answers);
        let racer = loom::thread::spawn(move || ask_all(&other));
        let mine = ask_all(&answers);
        assert_eq!(mine + racer.join().unwrap(), 2);
        assert_eq!([0, 1].map(|index| answers.begin(index)), [Err(Some(false)), Err(Some(true))]);
    });
}

/// Catches a panic after which no lane may ask again, and one that is taken for an answer.
#[test]
fn model_a_question_without_an_answer_is_asked_again() {
    explore(|| {
        let answers = Arc::new(Answers::new(1));
        assert_eq!(answers.begin(0), Ok(()));
        let other = Arc::clone(&answers);
        let racer = loom::thread::spawn(move || match other.begin(0) {
            Ok(()) => {
                other.end(0, Some(true));
                true
            }
            Err(answer) => {
                assert_eq!(answer, None);
                false
            }
        });
        answers.end(0, None);
        let again = racer.join().unwrap();
        assert_eq!(answers.begin(0), if again { Err(Some(true)) } else { Ok(()) });
    });
}
