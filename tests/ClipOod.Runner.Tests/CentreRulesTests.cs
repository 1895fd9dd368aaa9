using System.Text.RegularExpressions;
using ClipOod.Runner.Execution;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ClipOod.Runner.Tests;

/// <summary>Notebooks take benches, detectors and metrics from the library: they do not make their own, but where a method is written out from scratch.</summary>
public sealed partial class CentreRulesTests
{
    private static readonly IReadOnlyList<NotebookFile> _notebooks = NotebookFile.Find(Path.Combine(Repository.Root, "notebooks"));

    public static TheoryData<string> Names => [.. _notebooks.Select(notebook => notebook.Id)];

    [Theory]
    [MemberData(nameof(Names))]
    public void NoCell_CleansAnOodSetItself(string name) =>
        Assert.DoesNotContain(Code(name), cell => Regex.IsMatch(cell.Source, @"\bClassOverlap\.Find\b|\.WithoutClasses\("));

    [Theory]
    [MemberData(nameof(Names))]
    public void NoCell_OutsideFromScratch_DeclaresWhatReturnsScoresOrCleanedSets(string name)
    {
        string[] own = [.. Code(name).Where(cell => !FromScratch().IsMatch(cell.Heading)).SelectMany(cell => Declared(cell.Source)).Where(item => Product().IsMatch(item.Type)).Select(item => $"{item.Type} {item.Name}")];
        Assert.True(own.Length == 0, $"{name} declares {string.Join("; ", own)}. Take it from Bench, DetectorCatalog or Benchmark.");
    }

    /// <summary>What is a metric of a pair of sets is declared as one, whatever a free number would be called.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void NoCell_DeclaresAMetricAsAFreeNumber(string name) => Assert.Empty(
        Code(name).SelectMany(cell => FreeNumbers(cell.Source)).Where(IsMetric).Select(value => value.ToString()));

    [Theory]
    [InlineData("""Expect.Number("a", Metrics.Auroc(id, ood), 0.01);""", true)]
    [InlineData("""Expect.Number("a", 100 * (d.Metrics[1].Auroc), 0.01);""", true)]
    [InlineData("""Expect.Number("a", both[0].Estimate, 0.01);""", true)]
    [InlineData("""Expect.Number("a", p.Accuracy, 0.01);""", false)]
    [InlineData("""Expect.Number("a", pairs.Average(p => p.Auroc), 0.01);""", false)]
    [InlineData("""Expect.Number("a", after.Auroc - before.Auroc, 0.01);""", false)]
    public void IsMetric_ReadsTheValue(string source, bool expected) => Assert.Equal(expected, IsMetric(FreeNumbers(source).Single()));

    private static IEnumerable<ExpressionSyntax> FreeNumbers(string source) =>
        CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(kind: SourceCodeKind.Script)).GetRoot().DescendantNodes()
            .OfType<InvocationExpressionSyntax>()
            .Where(call => call.Expression.ToString() == "Expect.Number")
            .Select(call => call.ArgumentList.Arguments[1].Expression);

    // A metric as it comes, or in percent. A mean over pairs and a difference are no metric of one pair.
    private static bool IsMetric(ExpressionSyntax value) => value switch
    {
        ParenthesizedExpressionSyntax inner => IsMetric(inner.Expression),
        BinaryExpressionSyntax scaled when scaled.Kind() is SyntaxKind.MultiplyExpression or SyntaxKind.DivideExpression => IsMetric(scaled.Left) || IsMetric(scaled.Right),
        InvocationExpressionSyntax call => IsMetric(call.Expression),
        MemberAccessExpressionSyntax member => MetricMember().IsMatch(member.Name.Identifier.Text),
        _ => false,
    };

    /// <summary>Functions with the type they return, and records with the types they hold.</summary>
    private static IEnumerable<(string Type, string Name)> Declared(string source)
    {
        SyntaxNode root = CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(kind: SourceCodeKind.Script)).GetRoot();
        foreach (SyntaxNode node in root.DescendantNodes())
        {
            switch (node)
            {
                case MethodDeclarationSyntax method:
                    yield return (method.ReturnType.ToString(), method.Identifier.Text);
                    break;
                case LocalFunctionStatementSyntax function:
                    yield return (function.ReturnType.ToString(), function.Identifier.Text);
                    break;
                case RecordDeclarationSyntax record:
                    yield return ($"record({string.Join(", ", record.ParameterList?.Parameters.Select(parameter => parameter.Type?.ToString()) ?? [])})", record.Identifier.Text);
                    break;
            }
        }
    }

    private static IEnumerable<(string Heading, string Source)> Code(string name)
    {
        string heading = "";
        foreach (var cell in _notebooks.Single(notebook => notebook.Id == name).Document.Cells)
        {
            if (cell.Kernel == "markdown")
            {
                heading = Heading().Matches(cell.Source).Select(match => match.Value).LastOrDefault(heading);
            }
            else if (cell.Kernel == "csharp")
            {
                yield return (heading, cell.Source);
            }
        }
    }

    [GeneratedRegex(@"\b(IdScores|FeatureSet|OodSet|OodMetrics)\b")]
    private static partial Regex Product();

    [GeneratedRegex("^(Auroc|Fpr.*|Tnr.*|AveragePrecision.*|Aupr.*|BestF1.*|DetectionError|Estimate)$")]
    private static partial Regex MetricMember();

    [GeneratedRegex("scratch|by hand|toy", RegexOptions.IgnoreCase)]
    private static partial Regex FromScratch();

    [GeneratedRegex("^#+ .*$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
