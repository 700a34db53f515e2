-- Who asked for an operation to be cancelled while it waited for its turn.
ALTER TABLE "Operation" ADD COLUMN "cancelledBy" TEXT;
