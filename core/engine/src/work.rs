//! What people do with work beside taking, starting and completing it; and the organisation they are part of.

use std::sync::Arc;

use actum_model::{ActorId, CaseCommand, CaseId, ItemId, OrganisationEvent, RestEnd};
use actum_net::Organisation;

use crate::engine::Engine;
use crate::error::CommandError;
use crate::request::Ask;

impl Engine {
    /// Makes the directory say what an organisation file says (see [`actum_net::organisation`]): one event for each change,
    /// none for what is so already. What the file does not name stays. Returns how many changes there were.
    ///
    /// # Errors
    /// A rejection for what the directory cannot take; changes before it stay.
    pub async fn organise(&self, organisation: Organisation) -> Result<usize, CommandError> {
        let organisation = Arc::new(organisation);
        let mut changes = 0;
        loop {
            // One block takes a part of a large organisation; asking again goes on where it ended.
            let organisation = organisation.clone();
            let (staged, rest): (usize, usize) = self.ask_for_all(Ask::Organise { organisation }).await?;
            changes += staged;
            if rest == 0 {
                return Ok(changes);
            }
        }
    }

    /// Changes one thing of the organisation: somebody is away, somebody can do something new.
    ///
    /// # Errors
    /// A rejection when it names somebody who is not there, or says what cannot be.
    pub async fn change_organisation(&self, change: OrganisationEvent) -> Result<(), CommandError> {
        self.ask_for_all(Ask::ChangeOrganisation { change }).await
    }

    /// Gives back an item that the actor has: it is handed out again. Work that was begun keeps its tokens.
    ///
    /// # Errors
    /// A rejection when it is not the actor's, or its task does not allow it.
    pub async fn put_back(&self, case: CaseId, item: ItemId, actor: ActorId) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::PutBackWork { item }).await
    }

    /// Lays aside an item that the actor has.
    ///
    /// # Errors
    /// As for [`Engine::put_back`].
    pub async fn suspend_work(&self, case: CaseId, item: ItemId, actor: ActorId) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::SuspendWork { item, until: None }).await
    }

    /// Lays aside an item that the actor has, for a time: then it goes on by itself, as a case does
    /// ([`Engine::suspend_case_for`]).
    ///
    /// # Errors
    /// As for [`Engine::suspend_work`]; also `work/rest` when the time is not in the future.
    pub async fn suspend_work_for(
        &self,
        case: CaseId,
        item: ItemId,
        actor: ActorId,
        until: RestEnd,
    ) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::SuspendWork { item, until: Some(until) }).await
    }

    /// Goes on with an item that was laid aside.
    ///
    /// # Errors
    /// A rejection when it is not the actor's, or not laid aside.
    pub async fn resume_work(&self, case: CaseId, item: ItemId, actor: ActorId) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::ResumeWork { item }).await
    }

    /// Hands an item that the actor has, and has not begun, to somebody else.
    ///
    /// # Errors
    /// As for [`Engine::put_back`]; also when the other may not do it.
    pub async fn delegate(&self, case: CaseId, item: ItemId, actor: ActorId, to: ActorId) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::DelegateWork { item, to }).await
    }

    /// Hands an item that the actor has begun to somebody else: as it stands if `keep_state`, else to begin again.
    ///
    /// # Errors
    /// As for [`Engine::delegate`].
    pub async fn reallocate(
        &self,
        case: CaseId,
        item: ItemId,
        actor: ActorId,
        to: ActorId,
        keep_state: bool,
    ) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::ReallocateWork { item, to, keep_state }).await
    }

    /// Passes over an item that the actor has, as if it had been done.
    ///
    /// # Errors
    /// As for [`Engine::put_back`].
    pub async fn skip(&self, case: CaseId, item: ItemId, actor: ActorId) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::SkipWork { item }).await
    }

    /// From now on gives the actor all work of an item's task, of every case of its net, beginning with this item; with `on`
    /// false, no longer.
    ///
    /// # Errors
    /// As for [`Engine::put_back`]; also when the actor may not do the work.
    pub async fn pile(&self, case: CaseId, item: ItemId, actor: ActorId, on: bool) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::PileWork { item, on }).await
    }

    /// Gives an item to somebody above who has it, or above those it was offered to.
    ///
    /// # Errors
    /// As for [`Engine::put_back`]; also when nobody is above.
    pub async fn escalate(&self, case: CaseId, item: ItemId, actor: ActorId, reason: &str) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::EscalateWork { item, reason: reason.to_owned() }).await
    }
}
