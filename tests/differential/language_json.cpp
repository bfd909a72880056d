// The only translation unit that sees the JSON library.

#include <nlohmann/json.hpp>

#include "differential/language.hpp"

namespace mishap::test::language {

namespace {

using nlohmann::json;

Body parse_body(const json& from);

Part parse_part(const json& from) {
    Part part;
    if (from.is_array()) {
        part.body = parse_body(from);
    } else if (const json& task = from.at("task"); task.is_string()) {
        part.kind = Part::Kind::task;
        part.task = task.get<std::string>();
    } else {
        part.kind = Part::Kind::new_task;
        part.body = parse_body(task);
    }
    return part;
}

Operation parse_operation(const json& from) {
    Operation operation;
    operation.kind = from.at(0).get<std::string>();
    for (std::size_t i = 1; i < from.size(); ++i) {
        if (from[i].is_string()) {
            operation.names.push_back(from[i].get<std::string>());
        } else if (from[i].is_null()) {
            operation.numbers.push_back(std::nullopt);
        } else if (from[i].is_number()) {
            operation.numbers.push_back(from[i].get<int>());
        } else {
            operation.parts.push_back(parse_part(from[i]));
        }
    }
    return operation;
}

Body parse_body(const json& from) {
    Body body;
    for (const json& operation : from) {
        body.push_back(parse_operation(operation));
    }
    return body;
}

json body_to_json(const Body& body);

json part_to_json(const Part& part) {
    if (part.kind == Part::Kind::body) {
        return body_to_json(part.body);
    }
    json to = json::object();
    to["task"] = part.kind == Part::Kind::task ? json(part.task) : body_to_json(part.body);
    return to;
}

json operation_to_json(const Operation& operation) {
    json to = json::array();
    to.push_back(operation.kind);
    for (const std::string& name : operation.names) {
        to.push_back(name);
    }
    for (const std::optional<int>& number : operation.numbers) {
        to.push_back(number.has_value() ? json(*number) : json());
    }
    for (const Part& part : operation.parts) {
        to.push_back(part_to_json(part));
    }
    return to;
}

json body_to_json(const Body& body) {
    json to = json::array();
    for (const Operation& operation : body) {
        to.push_back(operation_to_json(operation));
    }
    return to;
}

}  // namespace

Program parse(std::string_view text) {
    const json from = json::parse(text);
    Program program;
    for (const json& object : from.at("objects")) {
        const Operation parsed = parse_operation(object);
        program.objects.push_back({parsed.kind, parsed.names.at(0),
                                   parsed.names.size() > 1 ? parsed.names[1] : std::string(),
                                   parsed.numbers.empty() ? 0 : parsed.numbers[0].value()});
    }
    for (const json& body : from.at("tasks")) {
        program.tasks.push_back(parse_body(body));
    }
    return program;
}

std::string to_json(const Program& program) {
    json objects = json::array();
    for (const Object& object : program.objects) {
        json to = json::array({object.name, object.kind});
        if (!object.argument.empty()) {
            to.push_back(object.argument);
        } else if (object.number != 0) {
            to.push_back(object.number);
        }
        objects.push_back(std::move(to));
    }
    json tasks = json::array();
    for (const Body& body : program.tasks) {
        tasks.push_back(body_to_json(body));
    }
    json to = json::object();
    to["objects"] = std::move(objects);
    to["tasks"] = std::move(tasks);
    return to.dump();
}

}  // namespace mishap::test::language
