// Package bus carries events from those who publish them to groups of handlers.
// Every group gets every event; within a group one handler at a time has it.
//
// What it promises:
//
//   - Publish returns nil only after every group has the event, and otherwise no
//     group has it: room is reserved in all queues before the event is put into
//     any.
//   - At least once for each group. A handler that fails or panics is tried again
//     after a back-off with jitter, which is never shorter than stated; after the
//     last attempt, or a [Permanent] error, the event is a dead letter, which can
//     be listed, replayed and discarded. What cannot be buried is not given up.
//   - Once, as far as a store of claims reaches: an event that comes again while it
//     is in hand, or within the retention after it was handled, is not handled. See
//     [Claims].
//   - Events with one key are handled in the order in which they were published,
//     one at a time. One that is tried again holds up its own key and nothing else.
//     With an engine that is so within each process.
//   - Queues are bounded, and [Overflow] says what happens beyond. There are as many
//     goroutines with one event as with any number.
//   - Close refuses what is new, handles what was accepted, and tells how much it
//     could not.
//
// What it does not promise:
//
//   - An effect exactly once, by itself. A process may die after the work and
//     before the commit of its claim. Package inbox writes the note that an event
//     was handled in the transaction of the handler's own changes, and package
//     outbox publishes an event with the transaction of the change that it tells
//     of. Together they give exactly one effect for each change, whenever a process
//     is killed; what a handler does outside of its transaction may still happen
//     twice.
//   - That an event in memory survives the process. One that was published through
//     an outbox does; for others, and as soon as a second process takes part, memory
//     is the wrong place and an [Engine] is the right one.
//   - An order between events without a key, or with different ones.
//   - A cure for a handler that kills its process each time, where events are in
//     memory: it is tried again after each start. An engine counts its deliveries.
package bus
