/* One example with a function, a gap and a lone expression.
 *
 *     static double half(double a)
 *     {
 *         return a / 2;
 *     }
 *     ...
 *
 *     half(cn_item(x))
 *
 * Not an example, since no empty line is in front of it:
 *     neither C nor Greek
 */
