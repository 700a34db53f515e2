-- Timelines that storage has deleted and whose log the SafeKeepers are still to drop.
CREATE TABLE "DeletedTimeline" (
    "timelineId" TEXT NOT NULL,
    "projectStorageId" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "DeletedTimeline_pkey" PRIMARY KEY ("timelineId")
);
