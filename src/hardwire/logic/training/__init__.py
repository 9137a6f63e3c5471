"""Training of a logic network: batches, tasks, augmentation, teachers, distribution."""
