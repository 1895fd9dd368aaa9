using System.Diagnostics;
using System.Text;
using ClipOod.Runner.Documents;
using ClipOod.Runner.Execution;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Scripting;
using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Formatting;

namespace ClipOod.Runner.Kernel;

/// <summary>Runs C# cells in one shared state, set up as the C# kernel of .NET Interactive.</summary>
internal sealed class CSharpKernel
{
    private static readonly CSharpParseOptions _parseOptions =
        CSharpParseOptions.Default.WithKind(SourceCodeKind.Script).WithLanguageVersion(LanguageVersion.Latest);

    private static readonly ScriptOptions _firstOptions = ScriptOptions.Default
        .WithLanguageVersion(LanguageVersion.Latest)
        .WithAllowUnsafe(true)
        .WithOptimizationLevel(OptimizationLevel.Release)
        .WithEmitDebugInformation(true)
        .WithFileEncoding(Encoding.UTF8)
        .WithReferences(ReferencedAssembly.Framework.Select(path => MetadataReference.CreateFromFile(path)))
        .AddReferences(typeof(DisplayedValue).Assembly, typeof(PocketView).Assembly, typeof(Microsoft.AspNetCore.Html.HtmlString).Assembly)
        .WithImports(
            "System",
            "System.Text",
            "System.Collections",
            "System.Collections.Generic",
            "System.Threading.Tasks",
            "System.Linq",
            "Microsoft.DotNet.Interactive",
            "Microsoft.DotNet.Interactive.Kernel",
            "Microsoft.DotNet.Interactive.Formatting",
            "Microsoft.DotNet.Interactive.Formatting.PocketViewTags");

    // Later submissions inherit the references and imports of the first.
    private static readonly ScriptOptions _laterOptions = _firstOptions.WithReferences(Array.Empty<MetadataReference>()).WithImports();

    private readonly Stack<string> _importing = new();
    private ScriptState<object>? _state;

    /// <summary>Gets the compiler going, so that the time that this takes is not counted as that of the first cell.</summary>
    public async Task StartAsync() => _state = await CSharpScript.RunAsync("", _firstOptions);

    /// <summary>Runs a cell, displays its trailing expression, and returns when it has ended.</summary>
    /// <param name="source">Text of the cell.</param>
    /// <param name="name">What stack traces call the cell.</param>
    /// <param name="path">Full path of the file that holds the cell; relative paths start from its folder.</param>
    public async Task RunAsync(string source, string name, string path)
    {
        Stopwatch? watch = null;
        foreach (CellStep step in CellDirectives.Split(source, name, Path.GetDirectoryName(path)!, _parseOptions))
        {
            switch (step)
            {
                case TimeStep:
                    watch = Stopwatch.StartNew();
                    break;
                case ImportStep import:
                    await ImportAsync(import, path);
                    break;
                case CodeStep code:
                    await RunCodeAsync(code);
                    break;
            }
        }

        if (watch is not null)
        {
            string text = string.Create(null, $"Wall time: {watch.Elapsed.TotalMilliseconds}ms");
            CellOutputs.Publish(CellOutputs.NextDisplayId(), new Dictionary<string, string> { ["text/plain"] = text });
        }
    }

    private async Task RunCodeAsync(CodeStep code)
    {
        if (_state is null)
        {
            await StartAsync();
        }

        ScriptOptions options = _laterOptions
            .WithFilePath(code.Tree.FilePath)
            .WithReferences(code.References.SelectMany(ReferencedAssembly.NeededBeside).Distinct().Select(path => MetadataReference.CreateFromFile(path)));
        Script<object> script = _state!.Script.ContinueWith<object>(code.Tree.ToString(), options);
        bool hasValue = HasTrailingExpression(script.GetCompilation());
        _state = await script.RunFromAsync(_state);
        if (hasValue && _state.ReturnValue is not DisplayedValue)
        {
            CellOutputs.Publish(CellOutputs.NextDisplayId(), MimeBundle.Of(_state.ReturnValue), isResult: true);
        }
    }

    // ScriptState cannot tell a trailing expression that is null from no trailing expression.
    private static bool HasTrailingExpression(Compilation compilation)
    {
        SyntaxTree tree = compilation.SyntaxTrees.Single();
        return tree.GetRoot() is CompilationUnitSyntax { Members: [.., GlobalStatementSyntax { Statement: ExpressionStatementSyntax { SemicolonToken.IsMissing: true } last }] }
            && compilation.GetSemanticModel(tree).GetTypeInfo(last.Expression).Type is { SpecialType: not SpecialType.System_Void };
    }

    private async Task ImportAsync(ImportStep import, string importingPath)
    {
        if (_importing.Contains(import.Path) || import.Path == importingPath)
        {
            throw new DirectiveException($"#!import: {import.Path} imports itself.", import.Line);
        }

        _importing.Push(import.Path);
        string file = Path.GetFileName(import.Path);
        int number = 0;
        try
        {
            foreach (DibCell cell in DibDocument.Load(import.Path).Cells)
            {
                number++;
                await CellRunner.RunAsync(this, cell, $"{file} cell {number}", import.Path);
            }
        }
        catch (Exception e)
        {
            string where = number > 0 ? $" cell {number}" : "";
            CellError error = CellFailure.Of(e, $"{file} cell {number}");
            string line = error.Line is int at ? $", line {at}" : "";
            throw new DirectiveException($"#!import of {file} failed in{where}{line}: {error.Type}: {error.Message}", import.Line, e);
        }
        finally
        {
            _importing.Pop();
        }
    }
}
