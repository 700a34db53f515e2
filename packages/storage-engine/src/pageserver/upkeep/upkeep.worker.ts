import { nodeDisk } from '../../io/node-disk.ts'
import { serveTasks } from '../../io/worker-tasks.ts'
import { materializeValue } from '../materialize-value.ts'
import { upkeepTasks } from './upkeep-tasks.ts'

serveTasks(upkeepTasks(nodeDisk, materializeValue))
