using System.Text;

namespace ClipOod.Runner.Commands;

/// <summary>Comma-separated values, as spreadsheets, pandas and numpy write and read them (RFC 4180; a quoted field ends on its line).</summary>
internal static class CsvFile
{
    /// <summary>Reads a file; lines that are empty are left out.</summary>
    /// <param name="path">The file, in UTF-8.</param>
    /// <returns>The number of each line, from 1, and its fields without the spaces around them; all have as many.</returns>
    /// <exception cref="InvalidDataException">A quote is not closed, or a line has another number of fields than the first one.</exception>
    public static List<(int Line, string[] Fields)> Read(string path)
    {
        List<(int Line, string[] Fields)> rows = [];
        int line = 0;
        foreach (string text in File.ReadLines(path))
        {
            line++;
            if (string.IsNullOrWhiteSpace(text))
            {
                continue;
            }

            string[] fields = Split(text) ?? throw new InvalidDataException(
                $"{path}, line {line}: a quote is not closed on its line, expected \"...\" with quotes inside doubled. Mend that line.");
            if (rows.Count > 0 && fields.Length != rows[0].Fields.Length)
            {
                throw new InvalidDataException(
                    $"{path}, line {line}: got {fields.Length} fields, expected {rows[0].Fields.Length} as in line {rows[0].Line}. Give every line as many commas; quote fields that hold some.");
            }

            rows.Add((line, fields));
        }

        return rows;
    }

    /// <summary>Rows as text, lines ending in a line feed.</summary>
    /// <param name="rows">The fields of each row; null is an empty field, numbers are written so that they are read back as they are.</param>
    public static string Write(IEnumerable<IEnumerable<object?>> rows) =>
        string.Concat(rows.Select(row => string.Join(',', row.Select(Field)) + "\n"));

    private static string Field(object? value)
    {
        string text = FormattableString.Invariant($"{value}");
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static string[]? Split(string text)
    {
        if (!text.Contains('"', StringComparison.Ordinal))
        {
            return text.Split(',', StringSplitOptions.TrimEntries);
        }

        List<string> fields = [];
        var field = new StringBuilder();
        bool quoted = false;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '"' && quoted && i + 1 < text.Length && text[i + 1] == '"')
            {
                field.Append(text[i++]);
            }
            else if (text[i] == '"')
            {
                quoted = !quoted;
            }
            else if (text[i] == ',' && !quoted)
            {
                fields.Add(field.ToString().Trim());
                field.Clear();
            }
            else
            {
                field.Append(text[i]);
            }
        }

        fields.Add(field.ToString().Trim());
        return quoted ? null : [.. fields];
    }
}
