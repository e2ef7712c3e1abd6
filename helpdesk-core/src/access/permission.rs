//! Permissions: what an actor may do, one for each command and a few beside them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $word:literal $who:ident),* $(,)?) => {
        /// What an actor may do. A role grants each with a
        /// [`Reach`](super::role::Reach). Source: spec/access.md.
        ///
        /// ```
        /// use helpdesk_core::access::permission::Permission;
        /// assert_eq!(Permission::ReadNotes.as_str(), "read_notes");
        /// assert!(!Permission::ReadNotes.fits_requesters());
        /// ```
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Permission { $($(#[$doc])* $name),* }

        impl Permission {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The permission as it stands in JSON.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            /// Whether a requester can have it at all. The others are for the
            /// desk's own people, whatever a custom role says.
            #[must_use]
            pub fn fits_requesters(self) -> bool {
                match self { $(Self::$name => permissions!(@ $who)),* }
            }
        }
    };
    (@ anybody) => { true };
    (@ inside) => { false };
}

permissions! {
    /// See tickets, and what is public of them.
    Read = "read" anybody,
    /// See internal notes.
    ReadNotes = "read_notes" inside,
    /// Open a ticket.
    OpenTicket = "open_ticket" anybody,
    /// Answer in public.
    Reply = "reply" anybody,
    /// Write an internal note.
    AddNote = "add_note" inside,
    /// Change a note of one's own.
    EditNote = "edit_note" inside,
    /// Change anybody's note.
    EditAnyNote = "edit_any_note" inside,
    /// Remove a message's content for good.
    Redact = "redact" inside,
    /// Add a file to a message.
    AddAttachment = "add_attachment" anybody,
    /// Say what was read.
    MarkSeen = "mark_seen" inside,
    /// Change plain fields; a requester only public custom fields.
    UpdateTicket = "update_ticket" anybody,
    /// Set the status.
    SetStatus = "set_status" inside,
    /// Solve.
    Solve = "solve" anybody,
    /// Open a solved ticket again.
    Reopen = "reopen" anybody,
    /// Close for good.
    Close = "close" anybody,
    /// Out of sight for a while.
    Snooze = "snooze" inside,
    /// In sight again.
    Wake = "wake" inside,
    /// Let somebody follow.
    AddFollower = "add_follower" anybody,
    /// Let somebody follow no more.
    RemoveFollower = "remove_follower" anybody,
    /// Mark as spam.
    MarkSpam = "mark_spam" inside,
    /// No spam after all.
    UnmarkSpam = "unmark_spam" inside,
    /// Delete, restorable.
    DeleteTicket = "delete_ticket" inside,
    /// Restore.
    RestoreTicket = "restore_ticket" inside,
    /// Make an agent of one's own groups responsible.
    Assign = "assign" inside,
    /// Make any agent responsible.
    AssignToAnyMember = "assign_to_any_member" inside,
    /// Make nobody responsible.
    Unassign = "unassign" inside,
    /// Take a ticket.
    Claim = "claim" inside,
    /// Take the next ticket.
    TakeNext = "take_next" inside,
    /// Offer a ticket to an agent.
    Offer = "offer" inside,
    /// Take what one was offered.
    AcceptOffer = "accept_offer" inside,
    /// Not take what one was offered.
    RejectOffer = "reject_offer" inside,
    /// Route anew.
    RouteAgain = "route_again" inside,
    /// Say whether one is there.
    SetPresence = "set_presence" inside,
    /// Say whether another agent is there.
    SetPresenceOfOthers = "set_presence_of_others" inside,
    /// Set by hand when a clock is due.
    SetDue = "set_due" inside,
    /// Let a ticket's escalation go on.
    Escalate = "escalate" inside,
    /// Give a ticket back to whom it was escalated from.
    DeEscalate = "de_escalate" inside,
    /// Take care of an escalated ticket.
    Acknowledge = "acknowledge" inside,
    /// Link two tickets.
    Link = "link" inside,
    /// Take a link away.
    Unlink = "unlink" inside,
    /// Make a ticket a part of another.
    SetParent = "set_parent" inside,
    /// Go on from a solved or closed ticket.
    FollowUp = "follow_up" anybody,
    /// Run a macro.
    RunMacro = "run_macro" inside,
    /// Run a macro on many tickets.
    RunMacroOnMany = "run_macro_on_many" inside,
    /// Change many tickets.
    ApplyChangesToMany = "apply_changes_to_many" inside,
    /// Create a contact.
    CreateContact = "create_contact" inside,
    /// Change a contact.
    UpdateContact = "update_contact" inside,
    /// Make two contacts one.
    JoinContacts = "join_contacts" inside,
    /// Remove for good what the desk holds of a person.
    ErasePerson = "erase_person" inside,
    /// See all that the desk holds of a person.
    ExportPerson = "export_person" inside,
    /// Create an organization.
    CreateOrganization = "create_organization" inside,
    /// Change an organization.
    UpdateOrganization = "update_organization" inside,
    /// Create, change and deactivate agents.
    ManageAgents = "manage_agents" inside,
    /// Replace the configuration.
    ManageConfig = "manage_config" inside,
    /// Hand in a message that a channel received.
    Receive = "receive" inside,
    /// Bring in history.
    Import = "import" inside,
    /// See articles that are not published.
    ReadDrafts = "read_drafts" inside,
    /// Write, change and translate an article.
    SaveArticle = "save_article" inside,
    /// Give an article to review.
    SubmitArticle = "submit_article" inside,
    /// Publish an article.
    PublishArticle = "publish_article" inside,
    /// Take an article out.
    ArchiveArticle = "archive_article" inside,
    /// Bring back an earlier revision of an article.
    RestoreArticleRevision = "restore_article_revision" inside,
    /// Say whether an article helped.
    VoteArticle = "vote_article" anybody,
    /// Note what was searched in the knowledge base, and what was opened.
    RecordSearch = "record_search" anybody,
    /// Ask for reports.
    Report = "report" inside,
    /// See what could not be delivered.
    ListDeadLetters = "list_dead_letters" inside,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
