using System.Diagnostics;
using System.Globalization;
using System.Text;
using ClipOod.Runner.Kernel;

namespace ClipOod.Runner.Execution;

/// <summary>Turns the events of a worker into a <see cref="NotebookRun"/>.</summary>
internal sealed class RunRecorder
{
    // A cell that prints or displays for ever must not fill the memory before its time is up.
    private const int MaxTextPerCell = 4 << 20;
    private const int MaxOutputsPerCell = 10_000;

    private readonly Lock _lock = new();
    private readonly NotebookFile _notebook;
    private readonly List<CellRun> _ended = [];
    private readonly Dictionary<string, (List<CellOutput> Outputs, int Index)> _displays = new(StringComparer.Ordinal);
    private readonly List<ResultCheck> _results = [];
    private readonly List<DeclaredParameter> _declared = [];
    private readonly SortedSet<string> _parametersAsked = new(StringComparer.Ordinal);
    private readonly StringBuilder _text = new();
    private List<CellOutput> _outputs = [];
    private bool _textIsError;
    private int _textLength;
    private bool _outputsAreCut;
    private bool _running;
    private long _cellStarted;

    public RunRecorder(NotebookFile notebook) => _notebook = notebook;

    public IReadOnlyCollection<string> ParametersAsked => _parametersAsked;

    public void Record(WorkerEvent? message)
    {
        lock (_lock)
        {
            switch (message)
            {
                case CellStarted:
                    _running = true;
                    _cellStarted = Stopwatch.GetTimestamp();
                    break;
                case CellEnded ended:
                    EndCell(ended.Error is null ? RunState.Passed : RunState.Failed, TimeSpan.FromSeconds(ended.Seconds), ended.Error);
                    break;
                case TextWritten text:
                    Append(text.IsError, text.Text);
                    break;
                case ValueDisplayed display:
                    Show(display);
                    break;
                case ResultDeclared result:
                    _results.Add(new ResultCheck(result.Result, null, CheckState.New));
                    break;
                case ParameterDeclared parameter when _declared.All(other => other.Name != parameter.Parameter.Name):
                    _declared.Add(parameter.Parameter);
                    break;
                case ParameterAsked parameter:
                    _parametersAsked.Add(parameter.Name);
                    break;
            }
        }
    }

    public void Write(bool isError, string text)
    {
        lock (_lock)
        {
            Append(isError, text);
        }
    }

    /// <summary>Closes the run: the cell that runs, or the next one where none does, takes the blame if not all have run.</summary>
    /// <param name="stoppedAs">Why the process was stopped; null where it ended by itself.</param>
    /// <param name="explanation">The error of the cell that did not end.</param>
    /// <param name="elapsed">Wall time of the whole run.</param>
    public NotebookRun Finish(RunState? stoppedAs, CellError explanation, TimeSpan elapsed)
    {
        lock (_lock)
        {
            int count = _notebook.Document.Cells.Count;
            bool failed = _ended.Any(cell => cell.State != RunState.Passed);
            if (_running || (!failed && _ended.Count < count))
            {
                TimeSpan spent = _running ? Stopwatch.GetElapsedTime(_cellStarted) : TimeSpan.Zero;
                EndCell(stoppedAs ?? RunState.Failed, spent, explanation);
            }

            RunState state = _ended.Select(cell => cell.State).FirstOrDefault(state => state != RunState.Passed);
            while (_ended.Count < count)
            {
                EndCell(RunState.NotRun, TimeSpan.Zero, null);
            }

            return new NotebookRun(
                _notebook.Id, _notebook.Path, _notebook.Title, _notebook.Question, state, elapsed, [.. _ended], [.. _results])
            {
                Declared = [.. _declared],
            };
        }
    }

    private void EndCell(RunState state, TimeSpan elapsed, CellError? error)
    {
        FlushText();
        Documents.DibCell cell = _notebook.Document.Cells[_ended.Count];
        _ended.Add(new CellRun(_ended.Count + 1, cell.Kernel, cell.Source, state, elapsed, _outputs, error));
        _outputs = [];
        _textLength = 0;
        _outputsAreCut = false;
        _running = false;
    }

    // Text of one stream without anything between is one output.
    private void Append(bool isError, string text)
    {
        if (text.Length == 0 || _textLength > MaxTextPerCell)
        {
            return;
        }

        if (isError != _textIsError)
        {
            FlushText();
            _textIsError = isError;
        }

        _text.Append(text);
        _textLength += text.Length;
        if (_textLength > MaxTextPerCell)
        {
            _text.Append($"\n[The rest is not shown: the cell has written more than {MaxTextPerCell >> 20} Mi characters.]\n");
        }
    }

    private void FlushText()
    {
        if (_text.Length > 0)
        {
            _outputs.Add(new StreamOutput(_textIsError, _text.ToString()));
            _text.Clear();
        }
    }

    private void Show(ValueDisplayed display)
    {
        var output = new DisplayOutput(display.DisplayId, display.Mime, display.IsResult);
        if (display.IsUpdate && _displays.TryGetValue(display.DisplayId, out var shown))
        {
            shown.Outputs[shown.Index] = output;
            return;
        }

        FlushText();
        if (_outputs.Count >= MaxOutputsPerCell)
        {
            if (!_outputsAreCut)
            {
                _outputs.Add(new StreamOutput(IsError: true, string.Create(CultureInfo.InvariantCulture, $"[The rest is not shown: the cell has displayed more than {MaxOutputsPerCell:N0} values.]\n")));
                _outputsAreCut = true;
            }

            return;
        }

        _displays[display.DisplayId] = (_outputs, _outputs.Count);
        _outputs.Add(output);
    }
}
