/** The version of kfctl, and of the image that its manifests name. */
export const VERSION = '0.1.0';
