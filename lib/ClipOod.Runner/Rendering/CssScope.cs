using System.Text;

namespace ClipOod.Runner.Rendering;

/// <summary>Keeps the style sheet of an output to that output.</summary>
internal static class CssScope
{
    /// <summary>
    /// Nests rules in one for the element that holds the output, after balancing their blocks so that none can close it
    /// early: <c>body</c> then means a body inside the output, of which there is none.
    /// </summary>
    public static string Wrap(string css, string id) => $"#{id} {{\n{Balance(css)}\n}}";

    /// <summary>Drops closers that nothing opened, and closes what stays open: blocks, strings and comments.</summary>
    public static string Balance(string css)
    {
        var result = new StringBuilder();
        var open = new Stack<char>();
        for (int i = 0; i < css.Length; i++)
        {
            char c = css[i];
            if (c is '"' or '\'')
            {
                int end = EndOfString(css, i);
                result.Append(css, i, end - i);
                // A string ends at its quote or, broken, at the line's end.
                if (end - i < 2 || css[end - 1] != c)
                {
                    result.Append(c);
                }

                i = end - 1;
            }
            else if (c == '/' && i + 1 < css.Length && css[i + 1] == '*')
            {
                int end = css.IndexOf("*/", i + 2, StringComparison.Ordinal);
                i = end < 0 ? css.Length : end + 1;
            }
            else if (c == '\\' && i + 1 < css.Length)
            {
                result.Append(c).Append(css[++i]);
            }
            else if (c is '{' or '(' or '[')
            {
                open.Push(c switch { '{' => '}', '(' => ')', _ => ']' });
                result.Append(c);
            }
            else if (c is not ('}' or ')' or ']'))
            {
                result.Append(c);
            }
            else if (open.Contains(c))
            {
                // What was opened inside and not closed is closed first.
                while (open.Peek() != c)
                {
                    result.Append(open.Pop());
                }

                result.Append(open.Pop());
            }
        }

        while (open.TryPop(out char close))
        {
            result.Append(close);
        }

        return result.ToString().TrimEnd('\\');
    }

    private static int EndOfString(string css, int start)
    {
        int i = start + 1;
        while (i < css.Length && css[i] != css[start] && css[i] != '\n')
        {
            i += css[i] == '\\' ? 2 : 1;
        }

        i = Math.Min(i, css.Length);
        return i < css.Length && css[i] == css[start] ? i + 1 : i;
    }
}
