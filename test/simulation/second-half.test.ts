import { ONE, testHalf } from './seeds.ts';

if (ONE === undefined) testHalf(1);
