using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace ClipOod.Notebook.Tests;

public sealed partial class DetectorCatalogTests
{
    private static readonly string _root = Repository.Root;
    private static readonly DetectorCard[] _cards = [.. DetectorCatalog.All.Select(detector => detector.Card)];

    [Fact]
    public void EveryDetector_ExistsIsTaughtAndIsChecked()
    {
        string tests = string.Join('\n', Directory.EnumerateFiles(Path.Combine(_root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(file => file != ThisFile())
            .Select(File.ReadAllText));
        string[] failures = [.. _cards.SelectMany(score =>
            new[] { Member(score), Notebook(score), GoldenValues(score, tests) }.OfType<string>().Select(failure => $"{score.Name}: {failure}"))];
        Assert.True(failures.Length == 0, $"{failures.Length} claims of the catalogue do not hold:\n{string.Join('\n', failures)}");
    }

    [Fact]
    public void EveryDetector_HasAKeyAndANameOfItsOwn()
    {
        Assert.Equal(_cards.Length, _cards.DistinctBy(score => score.Key).Count());
        Assert.Equal(_cards.Length, _cards.DistinctBy(score => score.Name).Count());
        Assert.All(_cards, score => Assert.Matches("^[a-z0-9]+(-[a-z0-9]+)*$", score.Key));
    }

    [Fact]
    public void EveryDetector_SaysWhereItComesFrom() => Assert.All(_cards, score =>
    {
        Assert.Matches(@"^https://arxiv\.org/abs/\d{4}\.\d{5}$", score.Url.ToString());
        Assert.Matches(@"^[\w-]+/[\w-]+$", score.ReferenceCode);
        Assert.InRange(score.Year, 2000 + int.Parse(score.Url.Segments[^1][..2], null), 2030);
        Assert.DoesNotContain('\n', score.Equation);
        Assert.NotEqual(DetectorInputs.None, score.Needs);
        Assert.NotEmpty(score.Title);
    });

    [Fact]
    public void EveryStreamDetector_SaysSoInItsTypeAndOnItsCard() => Assert.All(
        DetectorCatalog.All, detector => Assert.Equal(detector is StreamDetector, detector.Card.Family == DetectorFamily.TestTimeAdaptive));

    [Fact]
    public void EveryHyperparameter_HasARule_AndADifferentValueIsAVariantWithItsOwnKey() => Assert.All(
        DetectorCatalog.All.SelectMany(detector => detector.Card.Hyperparameters.Select(hyper => (detector, hyper))), item =>
        {
            Assert.NotEmpty(item.hyper.Rule);
            Assert.Same(item.detector, item.detector.With(item.hyper.Name, item.hyper.Value));
            Detector variant = item.detector.With(item.hyper.Name, item.hyper.Value + 0.5);
            Assert.StartsWith($"{item.detector.Card.Key}[{item.hyper.Name}=", variant.Card.Key, StringComparison.Ordinal);
            Assert.Equal(variant.Card.Key, DetectorCatalog.Of(variant.Card.Key).Card.Key);
        });

    [Fact]
    public void Of_AnUnknownKey_ListsThoseThereAre() =>
        Assert.Contains("there are: msp,", Assert.Throws<KeyNotFoundException>(() => DetectorCatalog.Of("mpc")).Message, StringComparison.Ordinal);

    [Fact]
    public void With_AnUnknownHyperparameter_ListsThoseThereAre() => Assert.Contains(
        "MCM has no hyper-parameter 'k', it has temperature.",
        Assert.Throws<ArgumentException>(() => DetectorCatalog.Of("mcm[k=2]")).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Families_GoWithWhatTheyNeed() => Assert.All(_cards, score =>
    {
        Assert.Equal(score.Family == DetectorFamily.TestTimeAdaptive, score.Needs.HasFlag(DetectorInputs.Stream));
        if (score.Family == DetectorFamily.IdFeatures)
        {
            Assert.True(score.Needs.HasFlag(DetectorInputs.Features | DetectorInputs.TrainImages), score.Name);
        }
    });

    [Fact]
    public void EveryPublicScoreOfTheLibrary_IsADetector()
    {
        // Parts of a score, the same score of another class, and what is no score of images by itself.
        string[] others =
        [
            "GlMcm.Local", "NegRefine.MultiMatching", "ClipnLite.Ctw", "FittedDetector.Score", "FittedStreamDetector.Score",
            "Bench.ScoresOf", "IdScores.FromOodHigh", "IdScores.Select", "ThresholdedHead.Score",
        ];
        string[] missing = [.. typeof(Scores).Assembly.GetExportedTypes()
            .Where(type => type.Namespace == typeof(Scores).Namespace)
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(method => method.ReturnType == typeof(IdScores) && !method.IsSpecialName)
            .Where(method => !method.DeclaringType!.Name.EndsWith("Thresholds", StringComparison.Ordinal))
            .Select(method => $"{method.DeclaringType!.Name}.{method.Name}")
            .Distinct()
            .Except(_cards.Select(score => score.Member))
            .Except(others)];
        Assert.True(missing.Length == 0, $"These return scores and are no detectors: {string.Join(", ", missing)}");
    }

    [Fact]
    public void Table_HasARowPerScore()
    {
        Assert.Equal(_cards.Length, DetectorCatalog.ToTable().Rows);
        Assert.Contains("Scores.Mcm", DetectorCatalog.ToTable().ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Markdown_HasAsManyCellsInEveryLine() => Assert.All(
        DetectorCatalog.ToMarkdown().TrimEnd('\n').Split('\n'), line => Assert.Equal(8, UnescapedBar().Count(line)));

    [Fact]
    public void Readme_ListsTheScores()
    {
        string expected = $"<!-- methods: kept equal to the catalogue by a test -->\n{DetectorCatalog.ToMarkdown()}<!-- end of methods -->\n";
        Assert.True(
            File.ReadAllText(Path.Combine(_root, "README.md")).ReplaceLineEndings("\n").Contains(expected, StringComparison.Ordinal),
            $"README.md does not list the scores as they are. It should hold:\n\n{expected}");
    }

    private static string? Member(DetectorCard score)
    {
        string[] parts = score.Member.Split('.');
        Type? type = typeof(Scores).Assembly.GetExportedTypes().SingleOrDefault(t => t.Namespace == typeof(Scores).Namespace && t.Name == parts[0]);
        return parts.Length != 2 ? $"member '{score.Member}' is not of the form Type.Method"
            : type is null ? $"there is no public type {parts[0]}"
            : type.GetMethods().Any(method => method.Name == parts[1] && method.ReturnType == typeof(IdScores)) ? null
            : $"no public method {score.Member} returns {nameof(IdScores)}";
    }

    private static string? Notebook(DetectorCard score)
    {
        string number = FormattableString.Invariant($"{score.Notebook:00}");
        if (Directory.GetFiles(Path.Combine(_root, "notebooks"), $"{number}-*.dib") is not [string file])
        {
            return $"there is no notebook {number}";
        }

        // It is taken from the catalogue, or called. An instance's method is named on the instance: the type, and the method after a point.
        string text = File.ReadAllText(file);
        string[] parts = score.Member.Split('.');
        return text.Contains($"\"{score.Key}\"", StringComparison.Ordinal)
            || (text.Contains(parts[0], StringComparison.Ordinal) && Regex.IsMatch(text, $@"\.{parts[^1]}\b"))
            ? null
            : $"notebook {number} neither takes \"{score.Key}\" from the catalogue nor uses {score.Member}";
    }

    private static string? GoldenValues(DetectorCard score, string tests) =>
        score.Golden is null == score.WithoutGolden is null ? "it must name either golden values or the reason for having none"
            : score.Golden is null ? null
            : !Golden.Sections.Contains(score.Golden) ? $"GOLDEN.json has no section {score.Golden}"
            : tests.Contains($"\"{score.Golden}\"", StringComparison.Ordinal) ? null
            : $"no test names the golden section {score.Golden}";

    private static string ThisFile([CallerFilePath] string path = "") => Path.Combine(_root, "tests", "ClipOod.Notebook.Tests", "Detectors", Path.GetFileName(path));

    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex UnescapedBar();
}
