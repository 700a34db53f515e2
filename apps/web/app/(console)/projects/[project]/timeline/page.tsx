import { TimelineScreen } from '@/features/timeline/timeline-screen.tsx'

export default async function TimelinePage({ params }: { params: Promise<{ project: string }> }) {
  const { project } = await params
  return <TimelineScreen projectId={decodeURIComponent(project)} />
}
