import { serveSweep } from '@dynaprompt/runner';

import { domain } from '../domain.js';

serveSweep(domain);
