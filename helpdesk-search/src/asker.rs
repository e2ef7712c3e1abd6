//! Who asks, and so what may be found.

use helpdesk_core::article::{Article, ArticleState, Visibility};

/// Who asks; a part of every question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asker {
    /// Anybody: reads what is public.
    Anonymous,
    /// A requester who is signed in.
    Requester {
        /// Their tags and those of their organization, in any order.
        tags: Vec<String>,
    },
    /// An agent: reads what is published, to whomever.
    Agent,
}

impl Asker {
    /// Whether the asker may find this article: it is published, and visible to them.
    #[must_use]
    pub fn permits(&self, article: &Article) -> bool {
        article.state == ArticleState::Published && self.sees(&article.visibility)
    }

    /// Whether what is visible like this is visible to the asker.
    ///
    /// Tags are compared char by char. A segment without tags is visible to agents only.
    ///
    /// ```
    /// use helpdesk_core::article::Visibility;
    /// use helpdesk_search::Asker;
    /// let vip = Asker::Requester { tags: vec!["vip".to_owned()] };
    /// assert!(vip.sees(&Visibility::Segment(vec!["beta".to_owned(), "vip".to_owned()])));
    /// assert!(!vip.sees(&Visibility::Internal));
    /// assert!(!Asker::Anonymous.sees(&Visibility::SignedIn));
    /// ```
    #[must_use]
    pub fn sees(&self, visibility: &Visibility) -> bool {
        match (self, visibility) {
            (Self::Agent, _) | (_, Visibility::Public) => true,
            (Self::Requester { .. }, Visibility::SignedIn) => true,
            (Self::Requester { tags }, Visibility::Segment(segment)) => {
                segment.iter().any(|tag| tags.contains(tag))
            }
            (Self::Anonymous | Self::Requester { .. }, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_asker_sees_what_is_for_them() {
        let segment = |tags: &[&str]| Visibility::Segment(tags.iter().map(|&t| t.into()).collect());
        let requester =
            |tags: &[&str]| Asker::Requester { tags: tags.iter().map(|&t| t.into()).collect() };
        // Anonymous, a requester without tags, one with `vip`, an agent.
        let table = [
            (Visibility::Public, [true, true, true, true]),
            (Visibility::SignedIn, [false, true, true, true]),
            (Visibility::Internal, [false, false, false, true]),
            (segment(&["vip"]), [false, false, true, true]),
            (segment(&["beta", "vip"]), [false, false, true, true]),
            (segment(&["VIP"]), [false, false, false, true]),
            (segment(&[]), [false, false, false, true]),
        ];
        let askers = [Asker::Anonymous, requester(&[]), requester(&["vip"]), Asker::Agent];
        for (visibility, expected) in table {
            assert_eq!(askers.each_ref().map(|a| a.sees(&visibility)), expected, "{visibility:?}");
        }
    }
}
