using System.Globalization;
using ClipOod.Autodiff;

namespace ClipOod.Runner.Commands;

/// <summary>The scores of ID and of OOD images that another program wrote, as they stand there, in either direction.</summary>
/// <param name="Name">What to call the score.</param>
/// <param name="Id">Scores of the ID images, at least 2, none NaN.</param>
/// <param name="Ood">Scores of the OOD images, at least 2, none NaN.</param>
internal sealed record ScoreFiles(string Name, double[] Id, double[] Ood)
{
    // Fewer show no spread to take an interval from.
    private const int Fewest = 2;

    private const string WhatOnesMean =
        "Codes differ in what 1 means: ID in MCM's, OOD in OpenOOD's. Give --ones id or --ones ood.";

    /// <summary>Reads a file that holds both sides.</summary>
    /// <param name="path">
    /// .npy of shape (N, 2), or CSV with a line of names: a score and a label for each image, or a column of scores for each side.
    /// </param>
    /// <param name="columns">What the columns are.</param>
    /// <exception cref="InvalidDataException">The file does not hold what it should; the message says where, what is expected and what to do.</exception>
    public static ScoreFiles Read(string path, ScoreColumns columns) =>
        Require(path, IsNpy(path) ? OfNpy(path, columns) : OfCsv(path, CsvFile.Read(path), columns));

    /// <summary>Reads a file for each side.</summary>
    /// <param name="id">.npy of shape (N) or (N, 1), or text with a number per line, or CSV with a column of scores.</param>
    /// <param name="ood">As the first.</param>
    /// <param name="columns">What the columns are.</param>
    /// <exception cref="InvalidDataException">As of <see cref="Read(string, ScoreColumns)"/>.</exception>
    public static ScoreFiles Read(string id, string ood, ScoreColumns columns) =>
        Require($"{id} and {ood}", new ScoreFiles(columns.Score ?? "score", OneSide(id, columns), OneSide(ood, columns)));

    private static bool IsNpy(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException(
                $"There is no file {Path.GetFullPath(path)} to take scores from, expected .csv or .npy. Check the path.", path);
        }

        return Path.GetExtension(path).Equals(".npy", StringComparison.OrdinalIgnoreCase);
    }

    private static ScoreFiles Require(string where, ScoreFiles scores) => Math.Min(scores.Id.Length, scores.Ood.Length) < Fewest
        ? throw new InvalidDataException(
            $"{where}: got scores of {scores.Id.Length} ID and {scores.Ood.Length} OOD images, expected at least {Fewest} of each: a metric compares both sides. Add those of the other images.")
        : string.IsNullOrWhiteSpace(scores.Name) ? scores with { Name = "score" } : scores;

    private static (IReadOnlyList<int> Shape, double[] Values) ReadNpy(string path)
    {
        SafetensorsTensor array = NpyFile.Read(path);
        return (array.Shape, array.DType switch
        {
            SafetensorsType.F64 => array.ToDoubles(),
            SafetensorsType.F32 or SafetensorsType.F16 => Array.ConvertAll(array.ToSingles(), number => (double)number),
            SafetensorsType type => throw new InvalidDataException(
                $"{path}: got numbers of type {type}, expected float16, float32 or float64. Save it with np.save(path, array.astype(np.float64))."),
        });
    }

    private static ScoreFiles OfNpy(string path, ScoreColumns columns)
    {
        if (columns.Label is not null || columns.Score is not null || columns.Sides is not null)
        {
            throw new CommandException($"{path} has no names of columns. Leave --label, --score and --columns out: the first column is the ID side, the second the OOD side; or with --ones the score and the label.");
        }

        (IReadOnlyList<int> shape, double[] values) = ReadNpy(path);
        if (shape is not [_, 2])
        {
            throw new InvalidDataException(
                $"{path}: got shape ({string.Join(", ", shape)}), expected (N, 2). Give two files of one column each: --id id.npy --ood ood.npy.");
        }

        double[] first = [.. values.Where((_, i) => i % 2 == 0)], second = [.. values.Where((_, i) => i % 2 == 1)];
        RequireNumbers(path, first);
        RequireNumbers(path, second);
        bool looksLabel = Array.TrueForAll(second, value => value is 0 or 1);
        string name = Path.GetFileNameWithoutExtension(path);
        return (columns.Ones, looksLabel) switch
        {
            (null, true) => throw new InvalidDataException(
                $"{path}: the second column holds only 0 and 1, as labels do. {WhatOnesMean} Where it holds scores, give them in two files: --id id.npy --ood ood.npy."),
            (null, false) => new ScoreFiles(name, first, second),
            (_, false) => throw new InvalidDataException(
                $"{path}: with --ones the second column is the label, expected 0 and 1, got {Show(second.First(value => value is not (0 or 1)))}. Leave --ones out where it holds scores of OOD images."),
            (string ones, true) => new ScoreFiles(name, Side(ones == "id" ? 1 : 0), Side(ones == "id" ? 0 : 1)),
        };

        double[] Side(int label) => [.. first.Where((_, i) => second[i] == label)];
    }

    private static ScoreFiles OfCsv(string path, List<(int Line, string[] Fields)> rows, ScoreColumns columns)
    {
        if (rows.Count == 0 || rows[0].Fields.All(IsNumber))
        {
            throw new InvalidDataException(
                $"{path}: {(rows.Count == 0 ? "the file is empty" : $"line {rows[0].Line} holds numbers")}, expected a first line with names of columns. Add one, such as score,label or id,ood.");
        }

        // numpy.savetxt begins the line of names with "# ".
        string[] names = [rows[0].Fields[0].TrimStart('#', ' '), .. rows[0].Fields[1..]];
        if (names is [var only] && only.AsSpan().IndexOfAny(";\t") >= 0)
        {
            throw new InvalidDataException($"{path}: got the line '{only}', expected commas between columns. Save it with commas.");
        }

        if (names.GroupBy(name => name).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new InvalidDataException($"{path}: two columns are called '{twice.Key}', expected different names. Rename one.");
        }

        rows.RemoveAt(0);
        bool sides = columns.Sides is not null || (columns.Label is null && !names.Contains("label") && names.Contains("id") && names.Contains("ood"));
        return sides ? OfSides(path, names, rows, columns) : OfLabels(path, names, rows, columns);
    }

    private static ScoreFiles OfSides(string path, string[] names, List<(int Line, string[] Fields)> rows, ScoreColumns columns)
    {
        if (columns.Label is not null || columns.Score is not null || columns.Ones is not null)
        {
            throw new CommandException("--columns names the scores of both sides, so there is no label. Leave --label, --score and --ones out.");
        }

        (string id, string ood) = columns.Sides ?? ("id", "ood");
        var scores = new ScoreFiles(Path.GetFileNameWithoutExtension(path), Column(id), Column(ood));

        // Images may be numbered in a column id, and labelled in a column ood.
        return columns.Sides is null && scores.Ood.Length > 0 && Array.TrueForAll(scores.Ood, value => value is 0 or 1)
            ? throw new InvalidDataException(
                $"{path}: the column ood holds only 0 and 1, as labels do. Where it is the label, give --label ood --ones ood; where it holds scores, --columns id ood.")
            : scores;

        // One side may be shorter: its last cells are empty.
        double[] Column(string name)
        {
            int column = IndexOf(path, names, name, "--columns");
            int length = rows.FindLastIndex(row => row.Fields[column].Length > 0) + 1;
            return [.. rows.Take(length).Select(row => Number(path, row.Line, name, row.Fields[column]))];
        }
    }

    private static ScoreFiles OfLabels(string path, string[] names, List<(int Line, string[] Fields)> rows, ScoreColumns columns)
    {
        int label = IndexOf(path, names, columns.Label ?? "label", "--label");
        int score = ScoreColumn(path, names, columns, label);
        List<double> id = [], ood = [];
        string? first = null;
        foreach ((int line, string[] fields) in rows)
        {
            string text = fields[label].ToLowerInvariant();
            text = text switch { "0.0" => "0", "1.0" => "1", _ => text };
            bool isOne = text is "0" or "1";
            if (!isOne && text is not ("id" or "ood"))
            {
                throw new InvalidDataException($"{path}, line {line}: the label is '{fields[label]}', expected id or ood, or 0 or 1. Mend it, or name another column with --label.");
            }

            first ??= text;
            if (isOne != (first is "0" or "1"))
            {
                throw new InvalidDataException($"{path}, line {line}: the label is '{fields[label]}', but the first one is '{first}'. Use either id and ood, or 0 and 1.");
            }

            if (isOne != (columns.Ones is not null))
            {
                throw new InvalidDataException(isOne
                    ? $"{path}: its labels are 0 and 1. {WhatOnesMean}"
                    : $"{path}: its labels are id and ood, so --ones says nothing. Leave it out.");
            }

            bool isId = isOne ? (text == "1") == (columns.Ones == "id") : text == "id";
            (isId ? id : ood).Add(Number(path, line, names[score], fields[score]));
        }

        return new ScoreFiles(names[score], [.. id], [.. ood]);
    }

    private static double[] OneSide(string path, ScoreColumns columns)
    {
        if (columns.Label is not null || columns.Ones is not null || columns.Sides is not null)
        {
            throw new CommandException("--id and --ood name a file for each side, so there is no label. Leave --label, --ones and --columns out.");
        }

        if (IsNpy(path))
        {
            (IReadOnlyList<int> shape, double[] values) = ReadNpy(path);
            if (shape is not ([_] or [_, 1]))
            {
                throw new InvalidDataException(
                    $"{path}: got shape ({string.Join(", ", shape)}), expected (N) or (N, 1): a score per image. Save the scores of this side alone.");
            }

            RequireNumbers(path, values);
            return values;
        }

        List<(int Line, string[] Fields)> rows = CsvFile.Read(path);
        string[] names = rows.Count > 0 && !rows[0].Fields.All(IsNumber) ? rows[0].Fields : [];
        int column = names.Length > 0 ? ScoreColumn(path, names, columns, -1)
            : rows.Count == 0 || (rows[0].Fields.Length == 1 && columns.Score is null) ? 0
            : throw new InvalidDataException(
                $"{path}: got {rows[0].Fields.Length} columns without names, expected one number per line. Save the scores alone, or add a line of names{(columns.Score is null ? "" : " that --score can name one of")}.");
        return [.. rows.Skip(names.Length > 0 ? 1 : 0).Select(row => Number(path, row.Line, names.Length > 0 ? names[column] : "score", row.Fields[column]))];
    }

    private static int ScoreColumn(string path, string[] names, ScoreColumns columns, int label)
    {
        string[] others = [.. names.Where((_, i) => i != label)];
        return columns.Score is null && others is [var only]
            ? Array.IndexOf(names, only)
            : IndexOf(path, names, columns.Score ?? "score", "--score");
    }

    private static int IndexOf(string path, string[] names, string name, string option) => Array.IndexOf(names, name) is >= 0 and int index
        ? index
        : throw new InvalidDataException(
            $"{path}: there is no column '{name}', there are: {string.Join(", ", names)}. Expected a score and a label, or the scores of ID and of OOD images as id and ood. Name yours with {option}.");

    private static double Number(string path, int line, string column, string text) =>
        Parse(text) is not double number
            ? throw new InvalidDataException($"{path}, line {line}: {column} is '{text}', expected a number such as 0.73. Mend or remove that line.")
        : double.IsNaN(number)
            ? throw new InvalidDataException($"{path}, line {line}: {column} is NaN, expected a number: no threshold can judge it. Check the features that it was computed from.")
        : number;

    private static void RequireNumbers(string path, double[] values)
    {
        int nan = Array.FindIndex(values, double.IsNaN);
        if (nan >= 0)
        {
            throw new InvalidDataException($"{path}: score {nan} of {values.Length} is NaN, expected numbers: no threshold can judge it. Check the features that it was computed from.");
        }
    }

    private static bool IsNumber(string text) => Parse(text) is not null;

    // Infinities as numpy, C and .NET write them.
    private static double? Parse(string text) => text.ToLowerInvariant() switch
    {
        "inf" or "+inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        _ => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : null,
    };

    private static string Show(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}

/// <summary>What the columns of a file of scores are; null where the user does not say.</summary>
/// <param name="Label">The column that tells which side an image is of.</param>
/// <param name="Score">The column of scores.</param>
/// <param name="Sides">The columns of scores of the ID and of the OOD images.</param>
/// <param name="Ones">Which side a label of 1 is: "id" or "ood".</param>
internal sealed record ScoreColumns(string? Label, string? Score, (string Id, string Ood)? Sides, string? Ones);
