import { proveSectionsOf } from './prove-section.ts';

proveSectionsOf(import.meta.url);
