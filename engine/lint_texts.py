"""What each rule of lint says, in English and Chinese, and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]


class Text(NamedTuple):
    """Severity, sentence and hint of one rule; facts stand in braces."""

    severity: Severity
    en: str
    zh: str
    hint_en: str
    hint_zh: str


TEXTS: Mapping[str, Text] = {
    "too_large": Text(
        "error",
        "The file or the set of files is too large: {reason}.",
        "文件或文件集过大：{reason}。",
        "Split it, or leave out what isn't needed.",
        "请拆分，或去掉不需要的内容。",
    ),
    "unknown_file": Text(
        "warning",
        "A file of this name and place isn't used.",
        "此名称和位置的文件不会被使用。",
        "Use process.bpmn, *.dmn, forms/*.json, documents/*, scenarios/*.yaml; or in shared/.",
        "可用 process.bpmn、*.dmn、forms/*.json、documents/*、scenarios/*.yaml 或 shared/。",
    ),
    "template_unknown_fact": Text(
        "error",
        "The template names {fact}, which no case has.",
        "模板引用了不存在的内容“{fact}”。",
        "Name only facts listed in the guide of templates; check the spelling.",
        "只能引用模板说明中列出的内容，请检查拼写。",
    ),
    "template_unfillable": Text(
        "error",
        "The template can't be filled: {reason}",
        "模板无法填写：{reason}",
        "Templates are docx files; each kind in documents/kinds.toml needs one.",
        "模板应为 docx 文件；documents/kinds.toml 中的每个文种都要有模板。",
    ),
    "no_main_process": Text(
        "error",
        "There is no process.bpmn.",
        "缺少 process.bpmn。",
        "The main process of a case type stands in process.bpmn.",
        "事项类型的主流程必须在 process.bpmn 中。",
    ),
    "bad_xml": Text(
        "error",
        "The XML can't be read: {reason}.",
        "无法读取 XML：{reason}。",
        "Save it again from a modeller; document types and entities aren't allowed.",
        "请用建模工具重新保存；不允许文档类型和实体。",
    ),
    "one_process": Text(
        "error",
        "A file must hold exactly one executable process; shared files are named after it.",
        "每个文件必须恰好有一个可执行流程；共享文件以流程编号命名。",
        "Set isExecutable, and move other processes to files of their own.",
        "请设置 isExecutable，其他流程移到各自的文件。",
    ),
    "duplicate_id": Text(
        "error",
        "The id {id} is used twice.",
        "编号 {id} 重复使用。",
        "Ids of processes and of elements of a process must differ.",
        "流程编号和流程内的元素编号不得重复。",
    ),
    "unknown_element": Text(
        "error",
        "<{tag}> can't be run and would be dropped.",
        "<{tag}> 无法执行，会被忽略。",
        "{use}",
        "{use}",
    ),
    "unknown_attribute": Text(
        "error",
        "The attribute {attribute} of <{tag}> has no effect here.",
        "<{tag}> 的属性 {attribute} 在此无效。",
        "Take it away, or say it in another way.",
        "请删除，或用其他方式表达。",
    ),
    "flow_to_nowhere": Text(
        "error",
        "The flow leads from {source} to {target}, which aren't both in the same process.",
        "连线从 {source} 到 {target}，二者不在同一流程中。",
        "Draw the flow again.",
        "请重新绘制连线。",
    ),
    "condition_ignored": Text(
        "error",
        "The condition on this flow would never be asked.",
        "此连线上的条件不会被判断。",
        "Conditions stand on flows that leave an exclusive or inclusive gateway with several ways.",
        "条件只能放在有多条出线的排他或包容网关的出线上。",
    ),
    "implicit_split": Text(
        "error",
        "Several flows leave an element that isn't a gateway.",
        "非网关元素有多条出线。",
        "Put a parallel or exclusive gateway behind it.",
        "请在其后放置并行或排他网关。",
    ),
    "missing_condition": Text(
        "error",
        "A flow that isn't the default has no condition.",
        "非默认连线没有条件。",
        "Write a condition, or make it the default flow.",
        "请填写条件，或设为默认连线。",
    ),
    "missing_default": Text(
        "warning",
        "The gateway has no default flow; when no condition holds, the command is refused.",
        "网关没有默认连线；没有条件成立时操作将被拒绝。",
        "Mark one flow as the default.",
        "请将一条连线设为默认。",
    ),
    "bad_default": Text(
        "error",
        "The default flow isn't one of the flows that leave this gateway.",
        "默认连线不是该网关的出线。",
        "Mark one of its own flows as the default.",
        "请将其自身的一条出线设为默认。",
    ),
    "no_way_in": Text(
        "error",
        "No token can ever come here.",
        "流程永远不会到达此处。",
        "Connect it, or take it away.",
        "请连线或删除。",
    ),
    "no_way_out": Text(
        "error",
        "The way ends here without an end event.",
        "流程在此中断，没有结束事件。",
        "Connect it to what follows or to an end event.",
        "请连到后续元素或结束事件。",
    ),
    "flow_at_wrong_end": Text(
        "error",
        "A flow leads into a start or boundary event, or out of an end event.",
        "连线进入开始或边界事件，或从结束事件引出。",
        "Draw the flow the other way round.",
        "请反向绘制连线。",
    ),
    "start_event": Text(
        "error",
        "A process needs exactly one start event: plain, in event sub-processes one that waits.",
        "流程需要恰好一个开始事件：普通开始；事件子流程为带触发的开始。",
        "Cases are started by a command; what comes later is an event sub-process.",
        "事项由操作启动；之后发生的用事件子流程。",
    ),
    "trigger": Text(
        "error",
        "An event of this kind can't have this trigger: {trigger}.",
        "此类事件不能使用该触发：{trigger}。",
        "Use {allowed}.",
        "请使用 {allowed}。",
    ),
    "trigger_name": Text(
        "error",
        "The event doesn't say which {kind} it is about.",
        "事件没有说明具体的 {kind}。",
        "Choose a message or signal with a name, an error or escalation with a code.",
        "请选择有名称的消息或信号、有代码的错误或升级。",
    ),
    "error_interrupts": Text(
        "error",
        "An error always interrupts; this event says it doesn't.",
        "错误总是中断；此事件却设为不中断。",
        "Make it interrupting, or use an escalation.",
        "请改为中断，或使用升级事件。",
    ),
    "boundary_host": Text(
        "error",
        "The boundary event isn't attached to an activity from which this can come.",
        "边界事件没有附着在可能产生该触发的活动上。",
        "Errors come from external tasks, calls and sub-processes; escalations from the last two.",
        "错误来自外部任务、调用和子流程；升级来自后两者。",
    ),
    "timer_text": Text(
        "error",
        "The timer's text isn't understood: {text}.",
        "无法理解定时器文本：{text}。",
        "Write an instant with offset, a duration such as P3D or a cycle such as R/P7D, or ${{…}}.",
        "请写带时区的时刻、P3D 这样的期间、R/P7D 这样的循环，或 ${{…}}。",
    ),
    "cycle_once": Text(
        "error",
        "A cycle can repeat only where the timer doesn't interrupt.",
        "循环定时器只能用于不中断的事件。",
        "Use a duration, or make the event non-interrupting.",
        "请使用期间，或将事件改为不中断。",
    ),
    "event_gateway": Text(
        "error",
        "Behind an event gateway stand two or more message, signal or timer events of its own.",
        "事件网关之后必须有两个以上自己的消息、信号或定时事件。",
        "Give each option an event with one incoming flow and no condition.",
        "每个选项用一个只有一条入线、无条件的事件。",
    ),
    "loop": Text(
        "error",
        "The repetition isn't complete: {reason}.",
        "重复设置不完整：{reason}。",
        "A loop needs a condition or a maximum to 1000; several instances a list or a number.",
        "循环需要条件或不超过 1000 的上限；多实例需要集合或数量。",
    ),
    "late_property": Text(
        "error",
        "The property {name} is read when all instances are done; {variable} isn't there any more.",
        "属性 {name} 在所有实例完成后读取；{variable} 已不存在。",
        "Put the property on an element inside, or don't use the instance's variable.",
        "请把属性放到内部元素上，或不要使用实例变量。",
    ),
    "unknown_process": Text(
        "error",
        "The called process {called} isn't there.",
        "被调用的流程 {called} 不存在。",
        "Name a process of shared/*.bpmn; it can't be computed.",
        "请填写 shared/*.bpmn 中的流程；不能用表达式。",
    ),
    "call_cycle": Text(
        "error",
        "The process calls itself: {path}.",
        "流程调用自身：{path}。",
        "Use a loop or several instances.",
        "请使用循环或多实例。",
    ),
    "bad_mapping": Text(
        "error",
        "A mapping needs a target and either a source or an expression.",
        "映射需要目标以及来源或表达式之一。",
        'Or variables="all" alone.',
        '或只写 variables="all"。',
    ),
    "unknown_table": Text(
        "error",
        "The decision table {table} isn't there.",
        "决策表 {table} 不存在。",
        "Name a *.dmn file of the type or of shared/, without the ending.",
        "请填写本类型或 shared/ 下的 *.dmn 文件名（不含扩展名）。",
    ),
    "bad_table": Text(
        "error",
        "The decision table can't be evaluated: {reason}.",
        "无法执行决策表：{reason}。",
        "Cells: -, literals, lists, comparisons, intervals, not(…). UNIQUE FIRST ANY COLLECT.",
        "单元格：-、字面值、列表、比较、区间、not(…)。策略：UNIQUE FIRST ANY COLLECT。",
    ),
    "no_role": Text(
        "error",
        "The task says neither who may do it nor who must.",
        "任务没有说明可由谁或须由谁办理。",
        "Set camunda:candidateGroups or camunda:assignee.",
        "请设置 camunda:candidateGroups 或 camunda:assignee。",
    ),
    "no_form": Text(
        "warning",
        "The task has no form; whatever is sent with it goes unchecked.",
        "任务没有表单；提交的内容不会被检查。",
        "Add forms/<element>.json or set camunda:formKey.",
        "请添加 forms/<元素>.json 或设置 camunda:formKey。",
    ),
    "unknown_form": Text(
        "error",
        "The form {form} isn't there.",
        "表单 {form} 不存在。",
        "Add forms/{form}.json.",
        "请添加 forms/{form}.json。",
    ),
    "not_external": Text(
        "error",
        "A service task must be external and have a topic.",
        "服务任务必须是外部任务并有主题。",
        'Set camunda:type="external" and camunda:topic.',
        '请设置 camunda:type="external" 和 camunda:topic。',
    ),
    "bad_expression": Text(
        "error",
        "The expression can't be used: {expression} ({reason}).",
        "表达式不可用：{expression}（{reason}）。",
        "Expressions are CEL; text in quotes, == for equal, && and ||.",
        "表达式为 CEL；文本加引号，相等用 ==，并用 &&、||。",
    ),
    "unknown_function": Text(
        "error",
        "There is no function {function}.",
        "没有函数 {function}。",
        "Use known, value, those of CEL or those the service offers: {offered}.",
        "请使用 known、value、CEL 的函数或系统提供的函数：{offered}。",
    ),
    "unset_variable": Text(
        "warning",
        "No form, table or mapping sets {name}.",
        "没有表单、决策表或映射设置 {name}。",
        "Check the spelling; mark the form's field with x-route.",
        "请检查拼写；在表单字段上标记 x-route。",
    ),
    "reserved_name": Text(
        "error",
        "{name} can't be the name of a variable.",
        "{name} 不能用作变量名。",
        "Use letters, digits and underscores, but not now, known or value.",
        "请用字母、数字和下划线，但不能是 now、known、value。",
    ),
    "unknown_reference": Text(
        "error",
        "separate_from names {name}, which isn't an element.",
        "separate_from 所写的 {name} 不是元素。",
        "Name ids of user tasks, with commas between.",
        "请填写用户任务编号，以逗号分隔。",
    ),
    "bad_form": Text(
        "error",
        "The form isn't a JSON Schema that can be checked: {reason}.",
        "表单不是可检查的 JSON Schema：{reason}。",
        "See docs for the keywords that may be used.",
        "可用关键字请见文档。",
    ),
    "open_form": Text(
        "error",
        "An object of the form lets unknown fields through: {path}.",
        "表单中的对象允许未知字段：{path}。",
        'Say "additionalProperties": false.',
        '请写 "additionalProperties": false。',
    ),
    "open_personal": Text(
        "error",
        "The field {path} is personal and has {keyword}: its value would stand in the open, too.",
        "字段 {path} 标为个人信息，又有 {keyword}，其值会同时以明文留存。",
        "Variables and look-ups are on record unsealed and can't be erased later (PIPL art. 47):"
        " drop one of the keywords.",
        "流程变量和查询记录不加密，日后无法清除（个人信息保护法第四十七条），请去掉其中一个。",
    ),
    "unbounded_text": Text(
        "warning",
        "The text field {path} has no greatest length.",
        "文本字段 {path} 没有最大长度。",
        "Set maxLength, a format, a pattern or a list of values.",
        "请设置 maxLength、format、pattern 或取值列表。",
    ),
    "took_too_long": Text(
        "error",
        "The files couldn't be checked within {seconds} seconds, or the check broke down.",
        "未能在 {seconds} 秒内检查完文件，或检查中断。",
        "Simplify the definition.",
        "请简化定义。",
    ),
}
