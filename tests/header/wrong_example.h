/* Wrong on purpose: its example calls what is not there.
 *
 *     cn_fit_faster(model, x, y);
 *
 * Not an example, since no empty line is in front of it:
 *     neither C nor Greek
 */
